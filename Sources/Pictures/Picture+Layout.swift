// Pictures beside and above one another, with text: how pages are composed.

extension Picture {
    /// The background of pages.
    public static let background = Color(grey: 24)
    /// The colour of text on `background`.
    public static let ink = Color(grey: 225)

    /// Places pictures side by side, upper edges aligned, `gap` pixels apart.
    ///
    /// - Precondition: There is at least one.
    public static func row(_ parts: [Picture], gap: Int = 8) -> Picture {
        var page = Picture(
            width: parts.reduce(-gap) { $0 + $1.width + gap }, height: parts.map(\.height).max() ?? 0,
            color: background)
        var x = 0
        for part in parts {
            page.draw(part, y: 0, x: x)
            x += part.width + gap
        }
        return page
    }

    /// Places pictures below one another, left edges aligned, `gap` pixels apart.
    ///
    /// - Precondition: There is at least one.
    public static func column(_ parts: [Picture], gap: Int = 8) -> Picture {
        var page = Picture(
            width: parts.map(\.width).max() ?? 0, height: parts.reduce(-gap) { $0 + $1.height + gap },
            color: background)
        var y = 0
        for part in parts {
            page.draw(part, y: y, x: 0)
            y += part.height + gap
        }
        return page
    }

    /// Returns the picture with an even margin around it, in pixels.
    public func framed(_ margin: Int = 12) -> Picture {
        var page = Picture(width: width + 2 * margin, height: height + 2 * margin, color: Self.background)
        page.draw(self, y: margin, x: margin)
        return page
    }

    /// Writes text on the background, wrapped at blanks where it is wider than `width` pixels, and in the middle of a
    /// word that is wider by itself.
    ///
    /// - Parameters:
    ///   - text: The text; a line feed begins a new line.
    ///   - width: The picture's width, pixels.
    ///   - scale: Pixels for each dot of a letter.
    ///   - color: The letters' colour.
    public static func text(_ text: String, width: Int, scale: Int = 2, color: Color = ink) -> Picture {
        let lines = wrapped(text, characters: max(1, (width / scale + 1) / Font.advance))
        let lineHeight = (Font.height + 2) * scale
        var page = Picture(width: width, height: max(1, lines.count) * lineHeight, color: background)
        for (index, line) in lines.enumerated() { page.text(line, y: index * lineHeight, x: 0, color, scale: scale) }
        return page
    }

    /// Returns the pixels that a line of text takes.
    public static func textWidth(_ text: String, scale: Int) -> Int {
        max(0, text.unicodeScalars.count * Font.advance - 1) * scale
    }

    /// Divides a text into lines, none longer than `characters`.
    static func wrapped(_ text: String, characters: Int) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { paragraph -> [String] in
            var lines: [String] = []
            var line = ""
            for word in paragraph.split(separator: " ") {
                var word = word[...]
                if !line.isEmpty && line.count + 1 + word.count <= characters {
                    line += " " + word
                    continue
                }
                if !line.isEmpty { lines.append(line) }
                while word.count > characters {
                    lines.append(String(word.prefix(characters)))
                    word = word.dropFirst(characters)
                }
                line = String(word)
            }
            return lines + [line]
        }
    }
}
