/// A table of texts in columns, for a terminal.
public struct TextTable {
    /// The side of its column to which a text goes.
    public enum Alignment: Sendable {
        /// Texts begin below one another, as words do.
        case left
        /// Texts end below one another, as numbers do.
        case right
    }

    private var rows: [[String]]
    private let alignments: [Alignment]

    /// Makes a table without rows.
    ///
    /// - Parameters:
    ///   - header: The names of the columns.
    ///   - alignments: The side to which each column goes; nil for the first to the left and the others to the right.
    /// - Precondition: There is an alignment for each column.
    public init(_ header: [String], _ alignments: [Alignment]? = nil) {
        rows = [header]
        self.alignments = alignments ?? header.indices.map { $0 == 0 ? .left : .right }
        precondition(self.alignments.count == header.count, "\(self.alignments.count) alignments for \(header)")
    }

    /// Adds a row.
    ///
    /// - Parameter row: As many texts as the header has.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines of the table: the header, then the rows.
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

    /// The whole table, its lines joined.
    public var text: String { lines.joined(separator: "\n") }
}
