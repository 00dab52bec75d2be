// Comma-separated tables (RFC 4180, and what spreadsheets make of it), read into one buffer with the places of the
// wanted fields: no string is made before it is asked for.

/// The wanted columns of a comma-separated file.
///
/// Lines may end in LF, CRLF or CR, the last one in nothing; blank lines and a UTF-8 byte order mark are passed over;
/// fields may be quoted; blanks around a field are not part of it. Columns beyond the wanted ones are ignored, such as
/// the nameless first one that pandas writes; a wanted one is found as `ColumnNames` says.
public struct CSVTable: Sendable {
    /// The path as the caller gave it.
    public let file: String
    /// The names of all columns in the file's order.
    public let header: [String]
    /// The number of rows, the header not counted.
    public var count: Int { lines.count }
    /// Whether no row has more than one field; trailing commas count as fields.
    public let isSingleColumn: Bool

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

    /// Reads a table that may lack a header, such as LUNA16's `seriesuids.csv`. A first line that names one of the
    /// columns, or begins with the nameless column of row numbers that pandas writes, is the header; without one, a
    /// first column that counts the rows is passed over.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - columns: The names that the first columns get where there is no header.
    /// - Throws: `InputError` where there is no such file, a header lacks a column, a row has too few fields, or a
    ///   quote is not closed; `FileError` where reading fails.
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
        var first = try scanner.record()
        if first == nil && hasHeader {
            throw InputError(file, "is empty", remedy: "expected the header \(wanted.joined(separator: ","))")
        }
        let names = first?.map { Self.string(bytes, $0) } ?? []
        var isNamed = hasHeader
        if first != nil, !hasHeader { isNamed = try Self.isHeader(names, wanted, file: file, line: scanner.recordLine) }
        var slots: [Int?] = Array(wanted.indices)
        if isNamed {
            header = names
            slots = try Self.slots(names, wanted, file: file, line: scanner.recordLine)
            first = try scanner.record()
        } else if Self.countsRows(scanner, names, columns: wanted.count) {
            header.insert("", at: 0)
            slots.insert(nil, at: 0)
        }

        var cells: [Cell] = []
        var lines: [Int] = []
        var isSingleColumn = names.count < 2
        while let fields = first {
            if fields.count > 1 { isSingleColumn = false }
            let surplus = fields.dropFirst(header.count).contains { $0.end > $0.start }
            guard fields.count >= header.count, !surplus || !isNamed else {
                throw InputError(
                    file, at: "line \(scanner.recordLine)",
                    "\(fields.count) fields, expected \(header.count) (\(header.joined(separator: ",")))")
            }
            let row = cells.count
            cells.append(
                contentsOf: repeatElement(Cell(start: 0, end: 0, hasDoubledQuotes: false), count: wanted.count))
            for (place, slot) in slots.enumerated() { if let slot { cells[row + slot] = fields[place] } }
            lines.append(scanner.recordLine)
            first = try scanner.record()
        }
        self.file = file
        self.header = header
        self.isSingleColumn = isSingleColumn
        self.wanted = wanted
        self.bytes = bytes
        self.cells = cells
        self.lines = lines
    }

    /// The wanted column, by its index, that stands at each place of a header.
    private static func slots(_ header: [String], _ wanted: [String], file: String, line: Int) throws -> [Int?] {
        var slots = [Int?](repeating: nil, count: header.count)
        // pandas names a list without a name `0`; behind its row numbers it is the only other column.
        let isUnnamed = header.count == 2 && header[0].isEmpty && header[1] == "0" && wanted.count == 1
        for (slot, name) in wanted.enumerated() {
            let remedy = "expected the columns \(wanted.joined(separator: ",")), separated by commas"
            do {
                guard let place = isUnnamed ? 1 : try ColumnNames.place(of: name, in: header) else {
                    throw InputError(file, at: "line \(line)", "no column \(name)", remedy: remedy)
                }
                slots[place] = slot
            } catch let error as ColumnNames.Ambiguity {
                throw InputError(file, at: "line \(line)", error.problem, remedy: remedy)
            }
        }
        return slots
    }

    /// Whether the first line of a list that may lack a header is one.
    private static func isHeader(_ names: [String], _ wanted: [String], file: String, line: Int) throws -> Bool {
        if names.count > 1 && names[0].isEmpty { return true }
        do {
            return try wanted.contains { try ColumnNames.place(of: $0, in: names) != nil }
        } catch let error as ColumnNames.Ambiguity { throw InputError(file, at: "line \(line)", error.problem) }
    }

    /// Whether the first column of a list without header counts its rows, from 0 or 1, and the wanted ones follow.
    private static func countsRows(_ scanner: Scanner, _ first: [String], columns: Int) -> Bool {
        guard first.count == columns + 1, let start = Int(first[0]), 0...1 ~= start else { return false }
        var scanner = scanner
        var number = start
        while let fields = try? scanner.record() {
            number += 1
            guard fields.count == columns + 1, Int(string(scanner.bytes, fields[0])) == number else { return false }
        }
        return number > start
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
