import FileIO

/// The named lines of a text header: MetaImage's `Key = Value`, up to `ElementDataFile`, which is the last by
/// definition, or NRRD's `field: value`.
struct HeaderFields {
    struct Field {
        let key: String
        let value: String
        /// The field's line, counted from 1.
        let line: Int
    }

    let path: String
    /// The header's length, bytes: the voxels of a `LOCAL` file begin behind it.
    let byteCount: Int
    private let fields: [String: Field]

    static let lengthLimit = 1 << 20

    init(path: String, byteCount: Int, fields: [String: Field]) {
        self.path = path
        self.byteCount = byteCount
        self.fields = fields
    }

    /// Reads a MetaImage header.
    ///
    /// - Throws: `InputError` where this is not such a header; `FileError` where reading fails.
    init(path: String) throws {
        self.path = path
        let source = try FileSource(path: path, offset: 0, count: nil)
        let bytes = try source.prefix(Self.lengthLimit)
        var fields: [String: Field] = [:]
        var start = 0
        var line = 0
        while start < bytes.count {
            line += 1
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let content = bytes[start..<end]
            start = min(end + 1, bytes.count)
            guard let equals = content.firstIndex(of: UInt8(ascii: "=")) else {
                guard content.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 13 }) else {
                    throw InputError(
                        path, at: "line \(line)", "expected 'Key = Value'",
                        remedy: "this is not a MetaImage header, or it is damaged")
                }
                continue
            }
            let field = Field(
                key: Self.trimmed(content[..<equals]), value: Self.trimmed(content[(equals + 1)...]), line: line)
            if fields.updateValue(field, forKey: field.key) != nil, Self.known.contains(field.key) {
                throw InputError(path, at: "line \(line): \(field.key)", "given twice", remedy: "remove one of them")
            }
            if field.key == "ElementDataFile" {
                self.fields = fields
                byteCount = start
                return
            }
        }
        throw InputError(
            path, at: "ElementDataFile", "missing", remedy: "this is not a MetaImage header, or it is cut off")
    }

    /// The keys whose repetition would leave open what is meant.
    private static let known: Set<String> = [
        "NDims", "DimSize", "ElementType", "ElementSpacing", "ElementSize", "Offset", "Position", "Origin",
        "TransformMatrix", "Rotation", "Orientation", "CompressedData", "CompressedDataSize", "HeaderSize",
        "BinaryDataByteOrderMSB", "ElementByteOrderMSB",
    ]

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        var slice = bytes
        while let first = slice.first, first <= 32 { slice.removeFirst() }
        while let last = slice.last, last <= 32 { slice.removeLast() }
        return String(decoding: slice, as: UTF8.self)
    }

    subscript(key: String) -> Field? { fields[key] }

    /// Finds the first of the aliases that is there.
    private func first(_ keys: [String]) -> Field? { keys.lazy.compactMap { fields[$0] }.first }

    /// Names a field's place, `line 7: DimSize`, or the name alone where the field is missing.
    func place(_ keys: String...) -> String {
        first(keys).map { "line \($0.line): \($0.key)" } ?? keys.first ?? ""
    }

    func error(_ field: Field, _ problem: String, remedy: String? = nil) -> InputError {
        InputError(path, at: "line \(field.line): \(field.key)", problem, remedy: remedy)
    }

    func missing(_ key: String) -> InputError {
        InputError(path, at: key, "missing", remedy: "the header is incomplete: download it again")
    }

    func require(_ key: String) throws -> Field {
        guard let field = fields[key], !field.value.isEmpty else { throw missing(key) }
        return field
    }

    func boolean(_ keys: String...) throws -> Bool? {
        guard let field = first(keys) else { return nil }
        switch field.value.lowercased() {
        case "true", "1", "t", "yes": return true
        case "false", "0", "f", "no": return false
        default: throw error(field, "is '\(field.value)', expected True or False")
        }
    }

    func integers(_ keys: String..., count: Int) throws -> [Int]? {
        try values(keys, count: count, "whole number") { Int($0) }
    }

    func numbers(_ keys: String..., count: Int) throws -> [Double]? {
        try values(keys, count: count, "number") { Double($0).flatMap { $0.isFinite ? $0 : nil } }
    }

    private func values<Value>(
        _ keys: [String], count: Int, _ kind: String, _ parse: (Substring) -> Value?
    ) throws -> [Value]? {
        guard let field = first(keys) else { return nil }
        let words = field.value.split { $0 == " " || $0 == "\t" }
        let expected = "expected \(count) \(kind)\(count == 1 ? "" : "s")"
        guard words.count == count else { throw error(field, "is '\(field.value)', \(expected)") }
        return try words.map { word in
            guard let value = parse(word) else { throw error(field, "'\(word)' is not a \(kind), \(expected)") }
            return value
        }
    }
}
