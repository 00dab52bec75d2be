/// Columns for a terminal.
public struct TextTable {
    public enum Alignment: Sendable { case left, right }

    private var rows: [[String]]
    private let alignments: [Alignment]

    /// - Parameter alignments: By column; where there are none the first column goes to the left, the others to the
    ///   right.
    public init(_ header: [String], _ alignments: [Alignment]? = nil) {
        rows = [header]
        self.alignments = alignments ?? header.indices.map { $0 == 0 ? .left : .right }
        precondition(self.alignments.count == header.count, "\(self.alignments.count) alignments for \(header)")
    }

    /// - Parameter row: As many texts as the header has.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// The header, then the rows.
    public var lines: [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let line = row.enumerated().map { column, text in
                let blanks = String(repeating: " ", count: widths[column] - text.count)
                return alignments[column] == .left ? text + blanks : blanks + text
            }.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    public var text: String { lines.joined(separator: "\n") }
}
