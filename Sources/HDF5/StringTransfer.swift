import CHDF5
import FileIO

/// A way for strings between memory and files.
///
/// Strings are written with a fixed width, padded with NUL: unlike those of variable length, which live in a heap of
/// their own, they are covered by the checksums of datasets and metadata. Those of variable length are not read either:
/// HDF5 1.10 believes what a file says of their places and lengths, and copies past the ends of its buffers.
struct StringTransfer {
    let site: Site
    let place: String

    /// Joins strings into one buffer, each filled up to the longest one's width (at least 1).
    static func packed(_ strings: [String]) -> (bytes: [UInt8], width: Int) {
        let width = max(1, strings.map(\.utf8.count).max() ?? 1)
        var bytes = [UInt8](repeating: 0, count: strings.count * width)
        for (index, string) in strings.enumerated() {
            for (offset, byte) in string.utf8.enumerated() { bytes[index * width + offset] = byte }
        }
        return (bytes, width)
    }

    /// Makes the type of NUL-padded UTF-8 strings of `width` bytes. To be called inside `Library.run`.
    static func type(width: Int) -> Handle? {
        guard let type = Handle(H5Tcopy(luna_h5_c_string()), closedBy: H5Tclose),
            H5Tset_size(type.id, width) >= 0, H5Tset_cset(type.id, H5T_CSET_UTF8) >= 0,
            H5Tset_strpad(type.id, H5T_STR_NULLPAD) >= 0
        else { return nil }
        return type
    }

    /// Reads strings of fixed width.
    ///
    /// - Parameters:
    ///   - kind: The kind of the elements in the file.
    ///   - shape: Their extents.
    ///   - limit: The most bytes that strings of fixed width can take in this file.
    ///   - transfer: Reads with a memory type into a buffer; negative for failure.
    /// - Throws: `InputError` where they are no strings, of variable length, too many, or not UTF-8.
    func read(
        _ kind: HDF5Kind, shape: [Int], limit: Int, _ transfer: (hid_t, UnsafeMutableRawPointer) -> herr_t
    ) throws -> [String] {
        guard case .string(let width) = kind else { throw site.mismatch(place, "holds \(kind), expected strings") }
        guard let width else {
            throw site.mismatch(
                place, "texts of variable length, which are not read",
                remedy: "write them with a fixed width, in h5py as numpy.bytes_")
        }
        let count = try site.count(shape, elementSize: width, place)
        guard count > 0 else { return [] }
        guard count * width <= limit else {
            throw site.mismatch(place, "\(count) strings, more than the file can hold")
        }
        return try Library.run { try readFixed(count, width, transfer) }
    }

    private func readFixed(
        _ count: Int, _ width: Int, _ transfer: (hid_t, UnsafeMutableRawPointer) -> herr_t
    ) throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: count * width)
        // The file's own character set: the library does not convert between ASCII and UTF-8.
        let status = try bytes.withUnsafeMutableBytes { buffer -> herr_t in
            guard let base = buffer.baseAddress else { return 0 }
            for set in [H5T_CSET_UTF8, H5T_CSET_ASCII] {
                guard let type = Self.type(width: width), H5Tset_cset(type.id, set) >= 0 else {
                    throw site.failure(place, "read")
                }
                if transfer(type.id, base) >= 0 { return 0 }
            }
            return -1
        }
        guard status >= 0 else { throw site.failure(place, "read") }
        return try (0..<count).map { index in
            let slice = bytes[index * width..<(index + 1) * width].prefix { $0 != 0 }
            guard let string = String(validating: slice, as: UTF8.self) else {
                throw site.mismatch(place, "string \(index) is not UTF-8")
            }
            return string
        }
    }
}
