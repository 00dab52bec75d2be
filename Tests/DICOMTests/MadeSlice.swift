import Basics
import FileIO
import Foundation

@testable import DICOM

/// A CT slice of 4 x 3 voxels, made element by element: what archives and scanners do to files, done to this one.
struct MadeSlice {
    /// The elements by tag: the value's kind and its bytes.
    private var elements: [Tag: (kind: String, value: [UInt8])] = [:]
    /// Whole elements, written as they are, by the tag that they stand at.
    var raw: [Tag: [UInt8]] = [:]
    var isExplicit = true
    var hasPreamble = true
    var hasDescription = true

    static let rows = 3
    static let columns = 4

    /// The stored numbers of the slice: different from index to index.
    static func words(_ index: Int) -> [UInt16] { (0..<12).map { UInt16(100 * index + 7 * $0) } }

    init(_ index: Int, z: String, uid: String = "1.2.3", modality: String = "CT") {
        self[.imageType] = #"ORIGINAL\PRIMARY\AXIAL"#
        self[.sopClassUID] = "1.2.840.10008.5.1.4.1.1.2"
        self[.modality] = modality
        self[.seriesInstanceUID] = uid
        self[.imagePositionPatient] = #"-100.5\20.25\"# + z
        self[.imageOrientationPatient] = #"1\0\0\0\1\0"#
        self[.pixelSpacing] = #"0.7\0.5"#
        self[.rescaleIntercept] = "-1024"
        self[.rescaleSlope] = "1"
        for (tag, value) in [
            (Tag.samplesPerPixel, 1), (.rows, Self.rows), (.columns, Self.columns), (.bitsAllocated, 16),
            (.bitsStored, 12), (.highBit, 11), (.pixelRepresentation, 0),
        ] { set(tag, value) }
        setPixels(Self.words(index))
    }

    /// The text of an element; nil removes it.
    subscript(tag: Tag) -> String? {
        get { elements[tag].map { String(decoding: $0.value, as: UTF8.self) } }
        set {
            let kinds: [Tag: String] = [
                .sopClassUID: "UI", .seriesInstanceUID: "UI", .imageType: "CS", .modality: "CS",
                .acquisitionNumber: "IS", .numberOfFrames: "IS",
            ]
            elements[tag] = newValue.map { text in
                (
                    kinds[tag] ?? "DS",
                    Array(text.utf8) + (text.utf8.count % 2 == 0 ? [] : [tag == .sopClassUID ? 0 : 32])
                )
            }
        }
    }

    mutating func set(_ tag: Tag, _ number: Int) { elements[tag] = ("US", Self.word(number)) }

    /// Replaces the pixels; `behind` are bytes that belong to the element and to no voxel.
    mutating func setPixels(_ words: [UInt16], behind: [UInt8] = []) {
        elements[.pixelData] = ("OW", words.flatMap { Self.word(Int($0)) } + behind)
    }

    private static func word(_ number: Int) -> [UInt8] { [UInt8(number & 255), UInt8(number >> 8 & 255)] }

    static func element(_ tag: Tag, _ kind: String, _ value: [UInt8], isExplicit: Bool = true) -> [UInt8] {
        let name = word(Int(tag.group)) + word(Int(tag.element))
        let length = (0..<4).map { UInt8(value.count >> (8 * $0) & 255) }
        guard isExplicit else { return name + length + value }
        let isLong = ["OW", "OB", "UN", "SQ"].contains(kind)
        return name + Array(kind.utf8) + (isLong ? [0, 0] + length : Array(length[..<2])) + value
    }

    var bytes: [UInt8] {
        let syntax = isExplicit ? "1.2.840.10008.1.2.1\0" : "1.2.840.10008.1.2\0"
        let description =
            Self.element(.mediaStorageSOPClassUID, "UI", Array("1.2.840.10008.5.1.4.1.1.2\0".utf8))
            + Self.element(.transferSyntaxUID, "UI", Array(syntax.utf8))
            + Self.element(Tag(0x0002, 0x0012), "UI", Array("1.2.3.4\0".utf8))
        let tags = Set(elements.keys).union(raw.keys).sorted { ($0.group, $0.element) < ($1.group, $1.element) }
        let body = tags.flatMap { tag in
            raw[tag] ?? elements[tag].map { Self.element(tag, $0.kind, $0.value, isExplicit: isExplicit) } ?? []
        }
        return (hasPreamble ? [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) : [])
            + (hasDescription ? description : []) + body
    }

    func write(to path: String) throws {
        try FileContent.makeDirectory(Path.directory(of: path))
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
