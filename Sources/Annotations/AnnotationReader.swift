import CT
import FileIO

/// A reader of one form in which nodules are written down.
protocol AnnotationReader: Sendable {
    /// The form's name, for messages.
    static var form: String { get }
    /// Whether content is of this form.
    static func reads(_ content: ListContent) -> Bool

    /// Reads a list that `reads` has accepted.
    ///
    /// - Throws: `InputError` naming the place; `FileError`.
    init(contentsOf path: String) throws
    /// The scans by the list's own names, each once, in the list's order.
    var scans: [String] { get }
    /// The names that the list may have for a scan.
    func names(of scan: String) -> [String]
    /// The nodules of one of `scans`.
    ///
    /// - Throws: `InputError` naming the place; what `frame` throws; `FileError`.
    func nodules(of name: String, frame: () throws -> ScanFrame) throws -> [NoduleAnnotation]
    /// A sum that changes with the nodules.
    ///
    /// - Throws: `FileError`.
    func checksum() throws -> UInt32
}

extension AnnotationReader {
    func names(of scan: String) -> [String] { [scan] }

    /// The sum of several files' names and bytes.
    static func checksum(of files: [(name: String, path: String)]) throws -> UInt32 {
        let lines = try files.map { try "\($0.name) \(FileContent.crc32($0.path))\n" }
        return FileContent.crc32(of: Array(lines.joined().utf8))
    }
}

/// A reader of lists that name nodules one by one, in world millimetres.
protocol RowReader: AnnotationReader { var rows: ListedRows { get } }

extension RowReader {
    var scans: [String] { rows.scans }
    func nodules(of name: String, frame: () throws -> ScanFrame) throws -> [NoduleAnnotation] {
        rows.nodules[name] ?? []
    }
    func checksum() -> UInt32 { rows.checksum }
}

/// LUNA16's own `annotations.csv`, and whatever is of no other form: what is wrong with it is told as of a table.
struct LUNA16List: AnnotationReader {
    static let form = "LUNA16's CSV"
    static func reads(_ content: ListContent) -> Bool {
        if case .table = content { return true }
        return false
    }

    private let path: String
    private let nodules: [String: [NoduleAnnotation]]
    let scans: [String]

    init(contentsOf path: String) throws {
        self.path = path
        nodules = try ScanAnnotations.read(path)
        scans = nodules.keys.sorted()
    }

    func nodules(of name: String, frame: () throws -> ScanFrame) -> [NoduleAnnotation] { nodules[name] ?? [] }
    func checksum() throws -> UInt32 { try FileContent.crc32(path) }
}
