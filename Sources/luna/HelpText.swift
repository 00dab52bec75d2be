import ArgumentParser

/// The text of `--help`. ArgumentParser breaks lines at the width of the terminal, which spoils commands that are there
/// to be copied.
enum HelpText {
    /// The text that ArgumentParser has for an error or a wish for help, in which lines of the discussion that begin
    /// with blanks are kept whole.
    static func text(for error: any Error, columns: Int? = nil) -> String {
        let broken = Luna.fullMessage(for: error, columns: columns)
        let whole = Luna.fullMessage(for: error, columns: 100_000)
        let (overview, rest) = parts(broken)
        return keepingExamples(overview, as: parts(whole).overview) + rest
    }

    /// A text before and from its usage line on.
    private static func parts(_ text: String) -> (overview: String, rest: String) {
        guard text.hasPrefix("OVERVIEW: "), let usage = text.firstRange(of: "\nUSAGE: ") else { return ("", text) }
        return (String(text[..<usage.lowerBound]), String(text[usage.lowerBound...]))
    }

    /// Joins the parts of lines again that begin with blanks.
    ///
    /// - Parameters:
    ///   - broken: The text with lines broken at blanks.
    ///   - whole: The same text as it was.
    private static func keepingExamples(_ broken: String, as whole: String) -> String {
        var rest = broken.split(separator: "\n", omittingEmptySubsequences: false)[...]
        var lines: [String] = []
        for line in whole.split(separator: "\n", omittingEmptySubsequences: false) {
            var parts: [Substring] = []
            repeat {
                guard let part = rest.popFirst() else { return broken }
                parts.append(part)
            } while parts.joined(separator: " ").count < line.count
            lines += line.hasPrefix("  ") ? [String(line)] : parts.map(String.init)
        }
        return lines.joined(separator: "\n")
    }
}
