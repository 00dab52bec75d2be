import FileIO

/// A file that could not be read up to its pixels, and what is known of it.
struct DamagedFile: Error {
    let path: String
    let error: any Error
    /// The series' UID; empty where the damage comes before it.
    let seriesUID: String
    /// The modality; empty where the damage comes before it.
    let modality: String
}

/// The facts about its image that a DICOM file has before the pixels.
struct DataSet: Sendable {
    /// The place of a file's pixels.
    struct PixelElement: Hashable, Sendable {
        var offset: Int
        /// The number of bytes; nil where they are in fragments, which a delimiter ends.
        var length: Int?
    }

    let path: String
    let fileSize: Int
    /// The transfer syntax as the file names it.
    let transferSyntax: String
    /// The place of the pixels; nil where the file holds no image.
    let pixels: PixelElement?
    /// Whether the file begins with 128 bytes for anybody's use and `DICM`; some archives have cut these off.
    let hasPreamble: Bool
    private let values: [Tag: [UInt8]]
    private let isBigEndian: Bool

    /// The number of bytes that most files' elements up to the pixels are shorter than: the rest of the file need not
    /// be read for them.
    private static let prefixLength = 1 << 16
    /// The length beyond which a value of those that are kept is no scanner's.
    private static let valueLimit = 1024
    /// The number of bytes beyond which no file is a single slice.
    static let fileLimit = 1 << 28
    /// The four bytes that follow 128 bytes for anybody's use (PS3.10, section 7.1).
    private static let magic = Array("DICM".utf8)
    private static let preambleLength = 128

    /// The number of a file's first bytes that tell whether it is DICOM.
    private static let recognitionLength = 1024

    /// Whether a file is DICOM by its first bytes.
    ///
    /// - Throws: `FileError` where it cannot be read.
    static func isDICOM(_ path: String) throws -> Bool {
        guard let size = FileContent.size(path), size > preambleLength + magic.count else { return false }
        return try start(of: FileContent.prefix(path, count: recognitionLength), fileSize: size) != nil
    }

    /// Finds a file's first element: behind the preamble, or at the begin where the elements come at once, as GDCM and
    /// pydicom read them too. Nil where the file is not DICOM.
    private static func start(of bytes: [UInt8], fileSize: Int) -> Int? {
        if bytes.dropFirst(preambleLength).starts(with: magic) { return preambleLength + magic.count }
        // Three elements in ascending order, whose lengths fit, are no accident.
        var reader = ElementReader(path: "", bytes: bytes, fileSize: fileSize, position: 0)
        var last = Tag(0, 0)
        for index in 0..<3 {
            guard let group = try? reader.nextGroup(), index > 0 || [2, 8].contains(group) else { return nil }
            if index == 0 { reader.isExplicit = (try? reader.nextIsExplicit()) ?? false }
            guard let element = try? reader.element(), element.length != nil,
                (last.group, last.element) < (element.tag.group, element.tag.element),
                (try? reader.skip(element)) != nil
            else { return nil }
            last = element.tag
        }
        return 0
    }

    /// Reads a file up to its pixels.
    ///
    /// - Throws: `InputError` where the file is damaged or deflated; `FileError` where it cannot be read.
    init(path: String) throws {
        var values: [Tag: [UInt8]] = [:]
        try self.init(path: path, keeping: &values)
    }

    /// Reads a file up to its pixels; where that fails, what is known of it by then.
    static func open(_ path: String) -> Result<DataSet, DamagedFile> {
        var values: [Tag: [UInt8]] = [:]
        do {
            return .success(try DataSet(path: path, keeping: &values))
        } catch {
            return .failure(
                DamagedFile(
                    path: path, error: error, seriesUID: text(values[.seriesInstanceUID] ?? []),
                    modality: text(values[.modality] ?? [])))
        }
    }

    private init(path: String, keeping values: inout [Tag: [UInt8]]) throws {
        guard let fileSize = FileContent.size(path) else { throw InputError(path, "no such file") }
        let beginning = try FileContent.prefix(path, count: Self.prefixLength)
        do {
            try self.init(path: path, bytes: beginning, fileSize: fileSize, keeping: &values)
        } catch is ElementReader.MoreBytesNeeded {
            let bytes = try FileContent.bytes(path, limit: Self.fileLimit)
            guard bytes.count == fileSize else { throw InputError(path, "changes while it is read") }
            values = [:]
            try self.init(path: path, bytes: bytes, fileSize: fileSize, keeping: &values)
        }
    }

    /// Reads a file's bytes up to its pixels.
    ///
    /// - Parameters:
    ///   - path: The file, for messages.
    ///   - bytes: The file, or its beginning.
    ///   - fileSize: The whole file's size, bytes.
    /// - Throws: `InputError` where the file is damaged; `ElementReader.MoreBytesNeeded` where the beginning does not
    ///   reach to the pixels.
    init(path: String, bytes: [UInt8], fileSize: Int) throws {
        var values: [Tag: [UInt8]] = [:]
        try self.init(path: path, bytes: bytes, fileSize: fileSize, keeping: &values)
    }

    private init(path: String, bytes: [UInt8], fileSize: Int, keeping values: inout [Tag: [UInt8]]) throws {
        self.path = path
        self.fileSize = fileSize
        var pixels: PixelElement?
        func keep(_ element: ElementReader.Element, of reader: inout ElementReader) throws {
            guard Tag.names[element.tag] != nil, let length = element.length else { return try reader.skip(element) }
            guard length <= Self.valueLimit else {
                throw InputError(
                    path, at: element.tag.description, "\(length) bytes, expected at most \(Self.valueLimit)",
                    remedy: "the file is damaged: copy it again from its source")
            }
            values[element.tag] = Array(try reader.value(length))
        }

        let start = Self.start(of: bytes, fileSize: fileSize) ?? Self.preambleLength + Self.magic.count
        hasPreamble = start > 0
        var reader = ElementReader(path: path, bytes: bytes, fileSize: fileSize, position: start)
        // The file's own description is explicit and little-endian whatever follows.
        while !reader.isAtEnd, try reader.nextGroup() == 2 { try keep(try reader.element(), of: &reader) }
        var transferSyntax = Self.text(values[.transferSyntaxUID] ?? [])
        // Without a description of the file its elements show their encoding.
        if transferSyntax.isEmpty, !reader.isAtEnd {
            transferSyntax = TransferSyntax.plain(isExplicit: try reader.nextIsExplicit()).rawValue
        }
        self.transferSyntax = transferSyntax
        guard !transferSyntax.isEmpty else {
            throw InputError(
                path, at: Tag.transferSyntaxUID.description, "missing, so that nothing after it can be read",
                remedy: "the file is damaged: copy it again from its source")
        }
        guard transferSyntax != TransferSyntax.deflated else {
            throw InputError(
                path, at: Tag.transferSyntaxUID.description, "the file is deflated as a whole, which is not read",
                remedy: "write it anew: dcmconv +te IN OUT")
        }
        let syntax = TransferSyntax(rawValue: transferSyntax)
        reader.isExplicit = syntax != .implicitLittleEndian
        reader.isBigEndian = syntax == .explicitBigEndian
        while !reader.isAtEnd {
            let element = try reader.element()
            if element.tag == .pixelData {
                pixels = PixelElement(offset: reader.position, length: element.length)
                break
            }
            try keep(element, of: &reader)
        }
        self.values = values
        self.pixels = pixels
        isBigEndian = reader.isBigEndian
    }

    /// Whether the file says to be a CT's image: such a one without pixels is cut off.
    var isCTImage: Bool {
        storageClass == Self.ctImageStorage || text(.modality) == "CT" && values[.rows] != nil
    }

    /// The kind of object that the file says to hold (SOPClassUID); empty where it does not say.
    var storageClass: String { has(.sopClassUID) ? text(.sopClassUID) : text(.mediaStorageSOPClassUID) }

    /// Whether the file holds another kind of object than a CT's single slice, by its own word.
    var isOtherStorage: Bool { !storageClass.isEmpty && storageClass != Self.ctImageStorage }

    /// Whether the file holds an enhanced CT's image: slices in one file, whose places are in sequences.
    var isEnhanced: Bool { Self.enhancedStorage.contains(storageClass) }

    private static let ctImageStorage = "1.2.840.10008.5.1.4.1.1.2"
    private static let enhancedStorage: Set<String> = ["1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"]

    /// Whether there is a value that is not blank.
    func has(_ tag: Tag) -> Bool { !text(tag).isEmpty }

    /// The value as text without the blanks around it; empty where there is none. Characters that are not printable
    /// ASCII become `?`.
    func text(_ tag: Tag) -> String { Self.text(values[tag] ?? []) }

    private static func text(_ bytes: [UInt8]) -> String {
        func isPadding(_ byte: UInt8) -> Bool { byte == 0 || byte == 32 }
        guard let first = bytes.firstIndex(where: { !isPadding($0) }),
            let last = bytes.lastIndex(where: { !isPadding($0) })
        else { return "" }
        return String(decoding: bytes[first...last].map { 32...126 ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// The parts of a value of several.
    func texts(_ tag: Tag) -> [String] {
        text(tag).split(separator: "\\", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Reads decimal strings (VR DS, IS).
    ///
    /// - Throws: `InputError` where there are not `count` finite numbers.
    func numbers(_ tag: Tag, count: Int) throws -> [Double] {
        let digits = Set("0123456789+-.eE")
        let numbers = texts(tag).map { text -> Double in
            guard text.allSatisfy(digits.contains), let number = Double(text), number.isFinite else { return .nan }
            return number
        }
        guard numbers.count == count, numbers.allSatisfy(\.isFinite) else {
            let expected = count == 1 ? "a number" : "\(count) numbers"
            throw InputError(
                path, at: tag.description, has(tag) ? "is \(text(tag)), expected \(expected)" : "missing",
                remedy: "export the series again from its source")
        }
        return numbers
    }

    /// Reads an unsigned 16-bit number (VR US); nil where there is none.
    ///
    /// - Throws: `InputError` where the value is something else.
    func count(_ tag: Tag) throws -> Int? {
        guard let bytes = values[tag], !bytes.isEmpty else { return nil }
        guard bytes.count == 2 else {
            throw InputError(
                path, at: tag.description, "\(bytes.count) bytes, expected 2",
                remedy: "the file is damaged: copy it again from its source")
        }
        return isBigEndian ? Int(bytes[0]) << 8 | Int(bytes[1]) : Int(bytes[1]) << 8 | Int(bytes[0])
    }

    /// Reads an unsigned 16-bit number that must be there.
    ///
    /// - Throws: `InputError` where it is not, or is something else.
    func required(_ tag: Tag) throws -> Int {
        guard let value = try count(tag) else {
            throw InputError(path, at: tag.description, "missing", remedy: "export the series again from its source")
        }
        return value
    }
}
