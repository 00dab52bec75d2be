import Basics

/// The tag of a data element: (group, element).
struct Tag: Hashable, Sendable {
    let group: UInt16
    let element: UInt16

    init(_ group: UInt16, _ element: UInt16) {
        self.group = group
        self.element = element
    }
}

extension Tag {
    // Those that reading a CT series takes, with their keywords in the standard's dictionary (PS3.6). No other element
    // is kept: names and dates of persons stay in the file.
    static let mediaStorageSOPClassUID = Tag(0x0002, 0x0002)
    static let transferSyntaxUID = Tag(0x0002, 0x0010)
    static let imageType = Tag(0x0008, 0x0008)
    static let sopClassUID = Tag(0x0008, 0x0016)
    static let modality = Tag(0x0008, 0x0060)
    static let seriesDescription = Tag(0x0008, 0x103e)
    static let seriesInstanceUID = Tag(0x0020, 0x000e)
    static let acquisitionNumber = Tag(0x0020, 0x0012)
    static let imagePositionPatient = Tag(0x0020, 0x0032)
    static let imageOrientationPatient = Tag(0x0020, 0x0037)
    static let samplesPerPixel = Tag(0x0028, 0x0002)
    static let numberOfFrames = Tag(0x0028, 0x0008)
    static let rows = Tag(0x0028, 0x0010)
    static let columns = Tag(0x0028, 0x0011)
    static let pixelSpacing = Tag(0x0028, 0x0030)
    static let bitsAllocated = Tag(0x0028, 0x0100)
    static let bitsStored = Tag(0x0028, 0x0101)
    static let highBit = Tag(0x0028, 0x0102)
    static let pixelRepresentation = Tag(0x0028, 0x0103)
    static let rescaleIntercept = Tag(0x0028, 0x1052)
    static let rescaleSlope = Tag(0x0028, 0x1053)
    static let pixelData = Tag(0x7fe0, 0x0010)

    static let item = Tag(0xfffe, 0xe000)
    static let itemEnd = Tag(0xfffe, 0xe00d)
    static let sequenceEnd = Tag(0xfffe, 0xe0dd)

    /// The tags that are kept of a file, with their names.
    static let names: [Tag: String] = [
        mediaStorageSOPClassUID: "MediaStorageSOPClassUID", transferSyntaxUID: "TransferSyntaxUID",
        imageType: "ImageType", sopClassUID: "SOPClassUID", modality: "Modality",
        seriesDescription: "SeriesDescription", seriesInstanceUID: "SeriesInstanceUID",
        acquisitionNumber: "AcquisitionNumber",
        imagePositionPatient: "ImagePositionPatient", imageOrientationPatient: "ImageOrientationPatient",
        samplesPerPixel: "SamplesPerPixel", numberOfFrames: "NumberOfFrames", rows: "Rows", columns: "Columns",
        pixelSpacing: "PixelSpacing", bitsAllocated: "BitsAllocated", bitsStored: "BitsStored", highBit: "HighBit",
        pixelRepresentation: "PixelRepresentation", rescaleIntercept: "RescaleIntercept",
        rescaleSlope: "RescaleSlope", pixelData: "PixelData",
    ]
}

extension Tag: CustomStringConvertible {
    /// The tag in words, such as `Rows (0028,0010)`.
    var description: String {
        func hexadecimal(_ value: UInt16) -> String { value.zeroPadded(to: 4, radix: 16) }
        let numbers = "(\(hexadecimal(group)),\(hexadecimal(element)))"
        return Tag.names[self].map { "\($0) \(numbers)" } ?? numbers
    }
}
