import FileIO

/// A walk along the data elements of a file, from front to back (PS3.5, section 7).
///
/// Every length is held against the file's size before anything follows it.
struct ElementReader {
    struct Element {
        var tag: Tag
        /// Whether the value's kind is `UN`, whose sequences are encoded as implicit ones whatever the file's encoding.
        var isUnknown = false
        /// The number of bytes of the value, which lie within the file; nil where a sequence delimiter ends it.
        var length: Int?
    }

    /// The signal that `bytes` are the file's beginning only and do not reach far enough.
    struct MoreBytesNeeded: Error {}

    let path: String
    /// The file, or its beginning.
    let bytes: [UInt8]
    let fileSize: Int
    private(set) var position: Int
    var isExplicit = true
    var isBigEndian = false

    /// The depth of sequences within sequences beyond which they are no scanner's.
    private static let depthLimit = 32

    init(path: String, bytes: [UInt8], fileSize: Int, position: Int) {
        self.path = path
        self.bytes = bytes
        self.fileSize = fileSize
        self.position = position
    }

    var isAtEnd: Bool { position >= fileSize }

    /// Returns the group of the element that comes next.
    mutating func nextGroup() throws -> UInt16 {
        try need(2)
        return word(at: position)
    }

    /// Reads up to the value of the next element.
    mutating func element() throws -> Element { try element(isExplicit: isExplicit) }

    private mutating func element(isExplicit: Bool) throws -> Element {
        let start = position
        try need(8)
        var element = Element(tag: Tag(word(at: start), word(at: start + 2)))
        var length: Int
        // Items and their ends have no VR in any encoding.
        if isExplicit && element.tag.group != 0xfffe {
            let (first, second) = (bytes[start + 4], bytes[start + 5])
            guard 65...90 ~= first, 65...90 ~= second else {
                throw InputError(
                    path, at: "byte \(start)", "no data element, whose value representation is two capital letters",
                    remedy: "the file is damaged: copy it again from its source")
            }
            let representation = String(decoding: [first, second], as: UTF8.self)
            element.isUnknown = representation == "UN"
            if Self.longRepresentations.contains(representation) {
                try need(12)
                length = Int(word(at: start + 8)) | Int(word(at: start + 10)) << 16
                if isBigEndian { length = Int(word(at: start + 8)) << 16 | Int(word(at: start + 10)) }
                position = start + 12
            } else {
                length = Int(word(at: start + 6))
                position = start + 8
            }
        } else {
            length = Int(word(at: start + 4)) | Int(word(at: start + 6)) << 16
            if isBigEndian { length = Int(word(at: start + 4)) << 16 | Int(word(at: start + 6)) }
            position = start + 8
        }
        if length == 0xffff_ffff { return element }
        guard length <= fileSize - position else {
            throw InputError(
                path, at: element.tag.description,
                "\(length) bytes at byte \(position), but the file has \(fileSize)",
                remedy: "the file is cut off or damaged: copy it again from its source")
        }
        element.length = length
        return element
    }

    /// Reads the value of an element just read.
    ///
    /// - Precondition: It has a length.
    mutating func value(_ length: Int) throws -> ArraySlice<UInt8> {
        try need(length)
        defer { position += length }
        return bytes[position..<position + length]
    }

    /// Passes over the value of an element just read.
    mutating func skip(_ element: Element) throws { try skip(element, isExplicit: isExplicit, depth: 0) }

    private mutating func skip(_ element: Element, isExplicit: Bool, depth: Int) throws {
        if let length = element.length {
            position += length
        } else {
            try skipItems(isExplicit: isExplicit, isUnknown: element.isUnknown, depth: depth)
        }
    }

    /// Passes over the items of a sequence. Those of kind `UN` are implicit by the standard (PS3.5, 6.2.2), but some
    /// writers keep the file's encoding for them; as GDCM and pydicom do, the first element decides.
    private mutating func skipItems(isExplicit: Bool, isUnknown: Bool, depth: Int) throws {
        guard depth < Self.depthLimit else {
            throw InputError(
                path, at: "byte \(position)", "more than \(Self.depthLimit) sequences in each other",
                remedy: "the file is damaged: copy it again from its source")
        }
        while true {
            let start = position
            let item = try element(isExplicit: isExplicit)
            switch item.tag {
            case .sequenceEnd: return
            case .item:
                if let length = item.length {
                    position += length
                    continue
                }
                let isExplicit = isUnknown ? try isExplicit && nextIsExplicit() : isExplicit
                var inner = try element(isExplicit: isExplicit)
                while inner.tag != .itemEnd {
                    try skip(inner, isExplicit: isExplicit, depth: depth + 1)
                    inner = try element(isExplicit: isExplicit)
                }
            default:
                throw InputError(
                    path, at: "byte \(start)", "\(item.tag) where an item of a sequence was expected",
                    remedy: "the file is damaged: copy it again from its source")
            }
        }
    }

    /// Whether the next element names its value's kind, as those of explicit encodings do.
    func nextIsExplicit() throws -> Bool {
        try need(8)
        let representation = String(decoding: bytes[position + 4..<position + 6], as: UTF8.self)
        return Self.longRepresentations.contains(representation) || Self.shortRepresentations.contains(representation)
    }

    private static let shortRepresentations: Set<String> = [
        "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM",
        "UI", "UL", "US",
    ]
    private static let longRepresentations: Set<String> = [
        "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV",
    ]

    private func need(_ count: Int) throws {
        guard count > bytes.count - position else { return }
        if count <= fileSize - position { throw MoreBytesNeeded() }
        throw InputError(
            path, at: "byte \(position)", "the file ends within a data element",
            remedy: "it is cut off: copy it again from its source")
    }

    private func word(at offset: Int) -> UInt16 {
        let (first, second) = (UInt16(bytes[offset]), UInt16(bytes[offset + 1]))
        return isBigEndian ? first << 8 | second : second << 8 | first
    }
}
