import Basics
import FileIO

/// The thing that a list's form is known by: what its content begins with.
enum ListContent {
    /// A table, with the names of its columns; also anything that is none of the others.
    case table(columns: [String])
    /// A JSON object, with the names of its members.
    case json(members: Set<String>)
    /// An XML document, with its outermost element.
    case xml(root: String)
    /// A folder, with what the first of its files that is a list holds.
    indirect case folder(ListContent)

    /// The most bytes that a list in JSON or XML can sensibly have.
    static let sizeLimit = 1 << 28

    /// Looks into a file or folder.
    ///
    /// - Throws: `InputError` where it is JSON or XML and damaged, or a folder without a list; `FileError`.
    init(of path: String) throws {
        guard FileContent.isDirectory(path) else {
            self = try Self(file: path)
            return
        }
        var failure: (any Error)?
        for file in try InstanceMaskList.labelFiles(path) + LIDCList.files(path) {
            do {
                switch try Self(file: file) {
                case .json(let members) where members.contains(InstanceMaskList.member):
                    self = .folder(.json(members: members))
                    return
                case .xml(let root) where root == LIDCList.root:
                    self = .folder(.xml(root: root))
                    return
                default: continue
                }
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        throw InputError(
            path, "a folder without a list of nodules",
            remedy: "give a list's file, nnDetection's labelsTr with a JSON for every mask, or a folder of LIDC-IDRI's "
                + "XML")
    }

    private init(file path: String) throws {
        let bytes = try Self.begin(of: path)
        switch bytes.first(where: { $0 > 32 }) {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            self = .json(members: try Self.decode(Members.self, path).names)
        case UInt8(ascii: "<"):
            self = .xml(root: try XMLReader.rootName(path))
        default:
            // Near enough to know a form by: what is wrong with a table is told by its reader.
            let line = bytes.drop { $0 <= 32 }.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            let columns = line.split(separator: UInt8(ascii: ",")).map { column in
                String(decoding: column.filter { $0 > 32 && $0 != UInt8(ascii: "\"") }, as: UTF8.self)
            }
            self = .table(columns: columns)
        }
    }

    /// The reason why content is of no known form.
    func refusal(of path: String) -> InputError {
        let found =
            switch self {
            case .json(let members): "JSON with the members \(members.sorted().prefix(5).joined(separator: ", "))"
            case .xml(let root): "XML with the element \(root)"
            case .table, .folder: "content"
            }
        return InputError(
            path, "\(found), which is no list of nodules that luna knows",
            remedy: "give one of \(AnnotationList.readers.map { $0.form }.joined(separator: ", "))")
    }

    /// The first bytes of a file, behind a byte order mark.
    private static func begin(of path: String) throws -> ArraySlice<UInt8> {
        guard FileContent.size(path) != nil else { throw InputError(path, "no such file") }
        let bytes = try FileContent.prefix(path, count: 1 << 12)
        return bytes.dropFirst(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    }

    /// The files of a folder with an ending, in order.
    ///
    /// - Parameter depth: The number of levels of folders that are looked through.
    /// - Throws: `FileError` where a folder cannot be read.
    static func files(in folder: String, ending: String, depth: Int = 1) throws -> [String] {
        var found: [String] = []
        for name in try FileContent.names(inDirectory: folder) where !name.hasPrefix(".") {
            let path = "\(Path.withoutTrailingSlashes(folder))/\(name)"
            if FileContent.isDirectory(path) {
                if depth > 1 { found += try files(in: path, ending: ending, depth: depth - 1) }
            } else if name.lowercased().hasSuffix(ending) {
                found.append(path)
            }
        }
        return found
    }

    /// The members that a JSON object has.
    private struct Members: Decodable {
        var names: Set<String>

        init(from decoder: any Decoder) throws {
            names = Set(try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue))
        }

        private struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
    }
}

extension ListContent {
    /// Decodes a file in JSON.
    ///
    /// - Throws: `InputError` naming the place, such as `training[3].box[0]`, and what was expected; `FileError`.
    static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        let bytes = try FileContent.bytes(path, limit: sizeLimit)
        do { return try JSON.decode(type, from: bytes) } catch let error as DecodingError {
            let (place, problem) = explanation(of: error)
            throw InputError(path, at: place, problem, remedy: "write the list anew")
        }
    }

    private static func explanation(of error: DecodingError) -> (place: String?, problem: String) {
        switch error {
        case .keyNotFound(let key, let context): (place(context), "no member \(JSON.name(of: key))")
        case .typeMismatch(let type, let context): (place(context), "expected \(words(type))")
        case .valueNotFound(let type, let context): (place(context), "null, expected \(words(type))")
        case .dataCorrupted(let context):
            (place(context), context.codingPath.isEmpty ? "not valid JSON, or cut off" : context.debugDescription)
        @unknown default: (nil, "not as expected")
        }
    }

    private static func place(_ context: DecodingError.Context) -> String? {
        let path = context.codingPath.reduce(into: "") { path, key in
            path += key.intValue.map { "[\($0)]" } ?? (path.isEmpty ? "" : ".") + JSON.name(of: key)
        }
        return path.isEmpty ? nil : path
    }

    private static func words(_ type: any Any.Type) -> String {
        switch type {
        case is any BinaryFloatingPoint.Type, is any BinaryInteger.Type: "a number"
        case is String.Type: "a text"
        case is [String: Any].Type: "an object"
        case is any Collection.Type: "a list"
        default: "an object"
        }
    }
}
