// Comma-separated tables (RFC 4180, and what spreadsheets make of it), read into one buffer with the places of the
// wanted fields: no string is made before it is asked for.

/// The wanted columns of a comma-separated file.
///
/// Lines may end in LF, CRLF or CR, the last one in nothing; blank lines and a UTF-8 byte order mark are passed over;
/// fields may be quoted; blanks around a field are not part of it. Columns beyond the wanted ones are ignored.
public struct CSVTable: Sendable {
    /// The path as the caller gave it.
    public let file: String
    /// The names of all columns in the file's order.
    public let header: [String]
    /// The number of rows, the header not counted.
    public var count: Int { lines.count }

    /// The most bytes that a table may have; the largest list of LUNA16 has 55 million. It guards against a file with
    /// holes, which takes no room on a disk.
    private static let sizeLimit = 1 << 31

    private let wanted: [String]
    private let bytes: [UInt8]
    private let cells: [Cell]
    private let lines: [Int]

    private struct Cell {
        var start: Int
        var end: Int
        /// Whether the field holds doubled quotes that stand for single ones.
        var hasDoubledQuotes: Bool
    }

    /// Reads a table whose first line names its columns.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - columns: The names of the columns that `text` and `number` are going to be asked for.
    /// - Throws: `InputError` where there is no such file, a column is missing or named twice, a row has another
    ///   number of fields than the header, or a quote is not closed; `FileError` where reading fails.
    public init(contentsOf path: String, requiring columns: [String]) throws {
        try self.init(
            bytes: FileContent.bytes(path, limit: Self.sizeLimit), file: path, wanted: columns, hasHeader: true)
    }

    /// Reads a table without a header, such as LUNA16's `seriesuids.csv`; a first line that is the header after all is
    /// passed over.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - columns: The names that the file's first columns get.
    /// - Throws: `InputError` where there is no such file, a row has too few fields, or a quote is not closed;
    ///   `FileError` where reading fails.
    public init(contentsOf path: String, columns: [String]) throws {
        try self.init(
            bytes: FileContent.bytes(path, limit: Self.sizeLimit), file: path, wanted: columns, hasHeader: false)
    }

    init(bytes: [UInt8], file: String, wanted: [String], hasHeader: Bool) throws {
        if bytes.contains(0) {
            throw InputError(file, "holds binary data or UTF-16", remedy: "save it as comma-separated UTF-8 text")
        }
        var scanner = Scanner(bytes: bytes, file: file)
        var header = wanted
        if hasHeader {
            guard let names = try scanner.record() else {
                throw InputError(file, "is empty", remedy: "expected the header \(wanted.joined(separator: ","))")
            }
            header = names.map { Self.string(bytes, $0) }
        }
        var slots = [Int?](repeating: nil, count: header.count)
        for (slot, name) in wanted.enumerated() {
            let places = header.indices.filter { header[$0] == name }
            guard let place = places.first, places.count == 1 else {
                let remedy = "expected the columns \(wanted.joined(separator: ",")), separated by commas"
                let problem = places.isEmpty ? "no column \(name)" : "\(places.count) columns are named \(name)"
                throw InputError(file, at: "line \(scanner.recordLine)", problem, remedy: remedy)
            }
            slots[place] = slot
        }

        var cells: [Cell] = []
        var lines: [Int] = []
        while let fields = try scanner.record() {
            if !hasHeader && lines.isEmpty && fields.map({ Self.string(bytes, $0) }) == wanted { continue }
            let surplus = fields.dropFirst(header.count).contains { $0.end > $0.start }
            guard fields.count >= header.count, !surplus || !hasHeader else {
                throw InputError(
                    file, at: "line \(scanner.recordLine)",
                    "\(fields.count) fields, expected \(header.count) (\(header.joined(separator: ",")))")
            }
            let row = cells.count
            cells.append(
                contentsOf: repeatElement(Cell(start: 0, end: 0, hasDoubledQuotes: false), count: wanted.count))
            for (place, slot) in slots.enumerated() { if let slot { cells[row + slot] = fields[place] } }
            lines.append(scanner.recordLine)
        }
        self.file = file
        self.header = header
        self.wanted = wanted
        self.bytes = bytes
        self.cells = cells
        self.lines = lines
    }

    /// Returns a field's text.
    ///
    /// - Parameters:
    ///   - row: The row, counted from 0.
    ///   - column: The column's name.
    /// - Precondition: `row` is below `count` and `column` was required.
    public func text(_ row: Int, _ column: String) -> String { Self.string(bytes, cell(row, column)) }

    /// Returns a field's number.
    ///
    /// - Parameters:
    ///   - row: The row, counted from 0.
    ///   - column: The column's name.
    /// - Precondition: `row` is below `count` and `column` was required.
    /// - Throws: `InputError` where the field is not a finite number.
    public func number(_ row: Int, _ column: String) throws -> Double {
        let text = text(row, column)
        guard let value = Double(text), value.isFinite else {
            throw error(row, column, text.isEmpty ? "empty, expected a number" : "\"\(text)\", expected a number")
        }
        return value
    }

    /// Returns the line of the file in which a row begins, counted from 1.
    public func line(_ row: Int) -> Int { lines[row] }

    /// Makes an error that names the file, the row's line and the column.
    public func error(_ row: Int, _ column: String, _ problem: String, remedy: String? = nil) -> InputError {
        InputError(file, at: "line \(line(row)), \(column)", problem, remedy: remedy)
    }

    private func cell(_ row: Int, _ column: String) -> Cell {
        guard let slot = wanted.firstIndex(of: column) else { preconditionFailure("column \(column) was not required") }
        return cells[row * wanted.count + slot]
    }

    private static func string(_ bytes: [UInt8], _ cell: Cell) -> String {
        let field = bytes[cell.start..<cell.end]
        guard cell.hasDoubledQuotes else { return String(decoding: field, as: UTF8.self) }
        // The first of two quotes is left out; a third begins the next pair.
        var isSecond = false
        let text = field.filter { byte in
            isSecond = byte == UInt8(ascii: "\"") && !isSecond
            return !isSecond
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension CSVTable {
    /// A reader that splits bytes into records of fields.
    private struct Scanner {
        let bytes: [UInt8]
        let file: String
        private var position: Int
        private var line = 1
        private var fields: [Cell] = []
        /// The line in which the last record began.
        private(set) var recordLine = 1

        init(bytes: [UInt8], file: String) {
            self.bytes = bytes
            self.file = file
            position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        }

        /// Reads the fields of the next record that is not blank; nil at the end.
        mutating func record() throws -> [Cell]? {
            while position < bytes.count {
                recordLine = line
                fields.removeAll(keepingCapacity: true)
                repeat { fields.append(try field()) } while endField()
                if fields.count > 1 || fields[0].end > fields[0].start { return fields }
            }
            return nil
        }

        /// Steps over what ends a field, and returns whether another field of the record follows.
        private mutating func endField() -> Bool {
            guard position < bytes.count else { return false }
            let ending = bytes[position]
            position += 1
            if ending == UInt8(ascii: ",") { return true }
            if ending == UInt8(ascii: "\r") && position < bytes.count && bytes[position] == UInt8(ascii: "\n") {
                position += 1
            }
            line += 1
            return false
        }

        private mutating func field() throws -> Cell {
            skipBlanks()
            if position < bytes.count && bytes[position] == UInt8(ascii: "\"") { return try quotedField() }
            let start = position
            var end = start
            while position < bytes.count, !Self.endsField(bytes[position]) {
                position += 1
                if !Self.isBlank(bytes[position - 1]) { end = position }
            }
            return Cell(start: start, end: end, hasDoubledQuotes: false)
        }

        private mutating func quotedField() throws -> Cell {
            let openingLine = line
            position += 1
            var cell = Cell(start: position, end: position, hasDoubledQuotes: false)
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\n") { line += 1 }
                guard byte == UInt8(ascii: "\"") else { continue }
                if position < bytes.count && bytes[position] == UInt8(ascii: "\"") {
                    cell.hasDoubledQuotes = true
                    position += 1
                    continue
                }
                cell.end = position - 1
                skipBlanks()
                guard position == bytes.count || Self.endsField(bytes[position]) else {
                    throw InputError(file, at: "line \(line)", "text after a closing quote, expected a comma")
                }
                return cell
            }
            throw InputError(file, at: "line \(openingLine)", "a quote that is opened here is never closed")
        }

        private mutating func skipBlanks() {
            while position < bytes.count && Self.isBlank(bytes[position]) { position += 1 }
        }

        private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

        private static func endsField(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        }
    }
}
