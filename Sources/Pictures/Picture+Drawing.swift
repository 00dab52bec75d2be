// Lines, circles and letters. Lines and circles are antialiased: a pixel is covered as far as its middle lies within
// the stroke, with a ramp of one pixel at its edges.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Picture {
    /// Lays another picture over this one, its upper left corner at (y, x).
    public mutating func draw(_ other: Picture, y: Int, x: Int) {
        for row in max(0, -y)..<max(0, -y, min(other.height, height - y)) {
            for column in max(0, -x)..<max(0, -x, min(other.width, width - x)) {
                self[y + row, x + column] = other[row, column]
            }
        }
    }

    /// Fills a rectangle.
    ///
    /// - Parameters:
    ///   - y: The upper edge.
    ///   - x: The left edge.
    ///   - height: The rectangle's height, pixels.
    ///   - width: The rectangle's width, pixels.
    ///   - color: The colour.
    ///   - coverage: 0 to 1; below 1 what was there shines through.
    public mutating func fill(y: Int, x: Int, height: Int, width: Int, _ color: Color, coverage: Double = 1) {
        for row in max(0, y)..<max(0, y, min(self.height, y + height)) {
            for column in max(0, x)..<max(0, x, min(self.width, x + width)) {
                self[row, column] = color.over(self[row, column], coverage: coverage)
            }
        }
    }

    /// Draws the outline of a rectangle, `stroke` pixels wide, within it.
    public mutating func outline(y: Int, x: Int, height: Int, width: Int, _ color: Color, stroke: Int = 1) {
        fill(y: y, x: x, height: stroke, width: width, color)
        fill(y: y + height - stroke, x: x, height: stroke, width: width, color)
        fill(y: y, x: x, height: height, width: stroke, color)
        fill(y: y, x: x + width - stroke, height: height, width: stroke, color)
    }

    /// Draws a straight line between two places, `stroke` pixels wide.
    public mutating func line(
        from a: (y: Double, x: Double), to b: (y: Double, x: Double), _ color: Color, stroke: Double = 1
    ) {
        let (dy, dx) = (b.y - a.y, b.x - a.x)
        let length = dy * dy + dx * dx
        let margin = stroke / 2 + 1
        let (rows, columns) = clipped(
            y: min(a.y, b.y) - margin...max(a.y, b.y) + margin, x: min(a.x, b.x) - margin...max(a.x, b.x) + margin)
        for y in rows {
            for x in columns {
                let (py, px) = (Double(y) - a.y, Double(x) - a.x)
                let along = length > 0 ? min(max(0, (py * dy + px * dx) / length), 1) : 0
                cover(y, x, color, stroke / 2 + 0.5 - hypot(py - along * dy, px - along * dx))
            }
        }
    }

    /// Draws a cross of two lines with its middle left open, `size` pixels from the middle to each end.
    public mutating func crosshair(y: Double, x: Double, size: Double, _ color: Color, stroke: Double = 1) {
        for (dy, dx) in [(-1.0, 0.0), (1, 0), (0, -1), (0, 1)] {
            line(
                from: (y + dy * size / 3, x + dx * size / 3), to: (y + dy * size, x + dx * size), color, stroke: stroke)
        }
    }

    /// Draws a circle, solid or dashed; `radius` and `stroke` in pixels.
    public mutating func circle(
        y centerY: Double, x centerX: Double, radius: Double, _ color: Color, stroke: Double = 1.5,
        dashed: Bool = false
    ) {
        let reach = radius + stroke / 2 + 1
        let (rows, columns) = clipped(y: centerY - reach...centerY + reach, x: centerX - reach...centerX + reach)
        // Dashes about 5 pixels long, as many as fit evenly.
        let dashes = max(4, (2 * Double.pi * radius / 10).rounded())
        for y in rows {
            for x in columns {
                let (dy, dx) = (Double(y) - centerY, Double(x) - centerX)
                let coverage = stroke / 2 + 0.5 - abs(hypot(dy, dx) - radius)
                guard coverage > 0 else { continue }
                let turn = (atan2(dy, dx) / (2 * Double.pi) + 1) * dashes
                if dashed && turn - turn.rounded(.down) >= 0.55 { continue }
                cover(y, x, color, coverage)
            }
        }
    }

    /// Draws one line of text, each dot of a letter as a square of `scale` pixels, its upper left corner at (y, x).
    /// Letters beyond ASCII become question marks.
    public mutating func text(_ text: String, y: Int, x: Int, _ color: Color, scale: Int = 1) {
        for (place, character) in text.unicodeScalars.enumerated() {
            let code = character.isASCII ? UInt8(character.value) : UInt8(ascii: "?")
            for row in 0..<Font.height {
                for column in 0..<Font.width where Font.dot(code, row: row, column: column) {
                    fill(
                        y: y + row * scale, x: x + (place * Font.advance + column) * scale, height: scale,
                        width: scale, color)
                }
            }
        }
    }

    private mutating func cover(_ y: Int, _ x: Int, _ color: Color, _ coverage: Double) {
        if coverage > 0 { self[y, x] = color.over(self[y, x], coverage: min(1, coverage)) }
    }
}
