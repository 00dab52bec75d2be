extension CSVTable {
    /// Joins fields to a line of a table, with its end, that reads back as the same fields (RFC 4180).
    ///
    /// Fields with commas, quotes, ends of lines, or blanks at their ends, which readers may drop, are quoted.
    public static func line(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") + "\n" }

    private static func quoted(_ field: String) -> String {
        let quote = UInt8(ascii: "\"")
        let ends = [field.utf8.first, field.utf8.last]
        guard field.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) || ends.contains(where: isBlank) else {
            return field
        }
        // By bytes: a quote before a combining mark is another character, but still a quote.
        let inner = field.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
        return String(decoding: [quote] + inner + [quote], as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
