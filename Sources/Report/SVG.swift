import Evaluation

/// Text in the form that HTML and SVG take.
enum Markup {
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // Control characters have no place in a page.
            case _ where character.value < 32 && character != "\n" && character != "\t": result += "\u{FFFD}"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

/// A drawing. Colours and fonts come from the page's style sheet by class, so that it reads in light, dark and print.
struct SVG {
    typealias Point = (x: Double, y: Double)

    enum Anchor: String { case start, middle, end }

    let width: Double
    let height: Double
    private var parts: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    mutating func line(_ from: Point, _ to: Point, _ style: String) {
        parts.append("<line class=\"\(style)\" \(place("1", from)) \(place("2", to))/>")
    }

    /// - Parameter dash: Lengths of strokes and gaps; empty for none.
    mutating func curve(_ points: [Point], _ style: String, dash: String = "") {
        let pattern = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
        parts.append("<polyline class=\"\(style)\"\(pattern) points=\"\(list(points))\"/>")
    }

    mutating func area(_ points: [Point], _ style: String) {
        parts.append("<polygon class=\"\(style)\" points=\"\(list(points))\"/>")
    }

    mutating func dot(_ center: Point, radius: Double, _ style: String) {
        let (x, y) = (number(center.x), number(center.y))
        parts.append("<circle class=\"\(style)\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(number(radius))\"/>")
    }

    mutating func box(_ corner: Point, width: Double, height: Double, _ style: String) {
        parts.append(
            "<rect class=\"\(style)\" x=\"\(number(corner.x))\" y=\"\(number(corner.y))\" "
                + "width=\"\(number(width))\" height=\"\(number(height))\"/>")
    }

    mutating func text(_ place: Point, _ content: String, _ anchor: Anchor, _ style: String = "label") {
        parts.append(
            "<text class=\"\(style)\" x=\"\(number(place.x))\" y=\"\(number(place.y))\" "
                + "text-anchor=\"\(anchor.rawValue)\">\(Markup.escaped(content))</text>")
    }

    /// Writes text that runs upwards.
    mutating func uprightText(_ place: Point, _ content: String) {
        let move = "translate(\(number(place.x)) \(number(place.y))) rotate(-90)"
        parts.append(
            "<text class=\"label\" text-anchor=\"middle\" transform=\"\(move)\">\(Markup.escaped(content))</text>")
    }

    /// The drawing as an element of a page.
    ///
    /// - Parameter label: A description for readers who cannot see it.
    func element(label: String) -> String {
        // Text is of one size in all drawings: where there is room, they are 1.4 times as large as their units.
        "<svg viewBox=\"0 0 \(number(width)) \(number(height))\" style=\"max-width:\(Int(width * 1.4))px\" "
            + "role=\"img\" aria-label=\"\(Markup.escaped(label))\">" + parts.joined() + "</svg>"
    }

    /// The drawing as a file of its own, which brings its colours.
    func file(label: String) -> String {
        let frame = "width=\"\(number(width))\" height=\"\(number(height))\""
        let style = "<style>\(PlotStyle.colors)\nsvg { background: var(--back) }\n\(PlotStyle.classes)</style>"
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" \(frame) viewBox=\"0 0 \(number(width)) \(number(height))\">"
            + "<title>\(Markup.escaped(label))</title>\(style)" + parts.joined() + "</svg>\n"
    }

    private func number(_ value: Double) -> String { Decimal.text(value, places: 1) }

    private func place(_ end: String, _ point: Point) -> String {
        "x\(end)=\"\(number(point.x))\" y\(end)=\"\(number(point.y))\""
    }

    private func list(_ points: [Point]) -> String {
        points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    }
}
