// Pictures beside and above one another, with text: how pages are composed.

extension Picture {
    /// The background of pages, and what text on it is written in.
    public static let background = Color(grey: 24)
    public static let ink = Color(grey: 225)

    /// Pictures side by side, upper edges aligned.
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

    /// Pictures below one another, left edges aligned.
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

    /// The picture with an even margin around it.
    public func framed(_ margin: Int = 12) -> Picture {
        var page = Picture(width: width + 2 * margin, height: height + 2 * margin, color: Self.background)
        page.draw(self, y: margin, x: margin)
        return page
    }

    /// Text on the background, wrapped at blanks where it is wider than `width` pixels, and in the middle of a word that
    /// is wider by itself.
    ///
    /// - Parameter scale: Pixels for each dot of a letter.
    public static func text(_ text: String, width: Int, scale: Int = 2, color: Color = ink) -> Picture {
        let lines = wrapped(text, characters: max(1, (width / scale + 1) / Font.advance))
        let lineHeight = (Font.height + 2) * scale
        var page = Picture(width: width, height: max(1, lines.count) * lineHeight, color: background)
        for (index, line) in lines.enumerated() { page.text(line, y: index * lineHeight, x: 0, color, scale: scale) }
        return page
    }

    /// The pixels that a line of text takes.
    public static func textWidth(_ text: String, scale: Int) -> Int {
        max(0, text.unicodeScalars.count * Font.advance - 1) * scale
    }

    /// The lines of a text, none longer than `characters`.
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
