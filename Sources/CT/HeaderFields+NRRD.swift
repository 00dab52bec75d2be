import FileIO

extension HeaderFields {
    /// Reads an NRRD header: its first line, then `field: value` lines to an empty one or the file's end. Names are in
    /// small letters, as the format's definition writes them; comments and `key:=value` lines are passed over.
    ///
    /// - Throws: `InputError` where this is not such a header; `FileError` where reading fails.
    init(nrrd path: String) throws {
        let source = try FileSource(path: path, offset: 0, count: nil)
        let bytes = try source.prefix(Self.lengthLimit)
        var fields: [String: Field] = [:]
        var start = 0
        var line = 0
        var (isNRRD, isEnded) = (false, false)
        while start < bytes.count && !isEnded {
            line += 1
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let content = bytes[start..<end]
            start = min(end + 1, bytes.count)
            if line == 1 {
                isNRRD = Self.isMagic(content)
                guard isNRRD else { break }
            } else if content.allSatisfy({ $0 == 13 }) {
                isEnded = true
            } else if content.first != UInt8(ascii: "#") {
                guard let field = try Self.nrrdField(content, line: line, path: path) else { continue }
                if fields.updateValue(field, forKey: field.key) != nil {
                    throw InputError(
                        path, at: "line \(line): \(field.key)", "given twice", remedy: "remove one of them")
                }
            }
        }
        guard isNRRD, isEnded || bytes.count < Self.lengthLimit else {
            throw InputError(
                path, at: "line \(max(line, 1))",
                isNRRD ? "the header has no end" : "expected NRRD0001 to NRRD0005",
                remedy: "this is not an NRRD header, or it is damaged")
        }
        self.init(path: path, byteCount: start, fields: fields)
    }

    private static func isMagic(_ line: ArraySlice<UInt8>) -> Bool {
        let text = trimmed(line)
        return ["NRRD00.01", "NRRD0001", "NRRD0002", "NRRD0003", "NRRD0004", "NRRD0005"].contains(text)
    }

    /// The format's fields; `aliases` has the other spellings that it allows.
    private static let nrrdFields: Set<String> = [
        "content", "number", "type", "block size", "dimension", "space", "space dimension", "sizes", "spacings",
        "thicknesses", "axis mins", "axis maxs", "space directions", "centerings", "kinds", "labels", "units", "min",
        "max", "old min", "old max", "endian", "encoding", "line skip", "byte skip", "sample units", "space units",
        "space origin", "measurement frame", "data file",
    ]
    private static let aliases = [
        "blocksize": "block size", "axismins": "axis mins", "axismaxs": "axis maxs", "centers": "centerings",
        "oldmin": "old min", "oldmax": "old max", "lineskip": "line skip", "byteskip": "byte skip",
        "sampleunits": "sample units", "datafile": "data file",
    ]

    /// Reads a line's field; nil for a `key:=value`.
    private static func nrrdField(_ content: ArraySlice<UInt8>, line: Int, path: String) throws -> Field? {
        let separator = content.indices.first { index in
            content[index] == UInt8(ascii: ":") && content[(index + 1)...].first.map { $0 <= 32 || $0 == 61 } ?? true
        }
        guard let separator else {
            throw InputError(
                path, at: "line \(line)", "expected 'field: value'", remedy: "correct the header, or download it again")
        }
        let value = content[(separator + 1)...]
        if value.first == UInt8(ascii: "=") { return nil }
        let name = trimmed(content[..<separator]).lowercased()
        let key = aliases[name] ?? name
        guard nrrdFields.contains(key) else {
            throw InputError(
                path, at: "line \(line): \(name)", "is not a field of an NRRD header",
                remedy: "correct the header, or download it again")
        }
        return Field(key: key, value: trimmed(value), line: line)
    }

    /// Reads vectors of three numbers, `(x,y,z)` each.
    func vectors(_ key: String, count: Int) throws -> [[Double]]? {
        guard let field = self[key] else { return nil }
        let expected = "expected \(count) vector\(count == 1 ? "" : "s") of three numbers, as (x,y,z)"
        var rest = field.value[...]
        var vectors: [[Double]] = []
        while let open = rest.firstIndex(where: { $0 != " " && $0 != "\t" }) {
            guard rest[open] == "(", let close = rest[open...].firstIndex(of: ")") else {
                throw error(field, "is '\(field.value)', \(expected)")
            }
            let words = rest[rest.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false)
            let numbers = words.compactMap { word in
                Double(word.filter { $0 != " " && $0 != "\t" }).flatMap { $0.isFinite ? $0 : nil }
            }
            guard words.count == 3, numbers.count == 3 else { throw error(field, "is '\(field.value)', \(expected)") }
            vectors.append(numbers)
            rest = rest[rest.index(after: close)...]
        }
        guard vectors.count == count else { throw error(field, "is '\(field.value)', \(expected)") }
        return vectors
    }
}
