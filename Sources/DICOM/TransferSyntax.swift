/// The encodings of elements and pixels that are read (PS3.5, section 10 and annex A).
enum TransferSyntax: String, CaseIterable, Sendable {
    case implicitLittleEndian = "1.2.840.10008.1.2"
    case explicitLittleEndian = "1.2.840.10008.1.2.1"
    case explicitBigEndian = "1.2.840.10008.1.2.2"
    case jpegExtended = "1.2.840.10008.1.2.4.51"
    case jpegLossless = "1.2.840.10008.1.2.4.57"
    case jpegLosslessFirstOrder = "1.2.840.10008.1.2.4.70"
    case jpegLSLossless = "1.2.840.10008.1.2.4.80"
    case jpegLSNearLossless = "1.2.840.10008.1.2.4.81"
    case jpeg2000Lossless = "1.2.840.10008.1.2.4.90"
    case jpeg2000 = "1.2.840.10008.1.2.4.91"
    case runLength = "1.2.840.10008.1.2.5"

    /// The syntax of which nothing can be read without inflating the file.
    static let deflated = "1.2.840.10008.1.2.1.99"

    /// The encoding of a file that does not name its own.
    static func plain(isExplicit: Bool) -> TransferSyntax {
        isExplicit ? .explicitLittleEndian : .implicitLittleEndian
    }

    var isCompressed: Bool {
        switch self {
        case .implicitLittleEndian, .explicitLittleEndian, .explicitBigEndian: false
        default: true
        }
    }
}
