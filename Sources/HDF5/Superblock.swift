import FileIO

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The block that an HDF5 file begins with, looked at before the library opens the file.
///
/// The library follows from here to parts that no file of this project has, nor one that h5py or MATLAB writes unless
/// asked to: a driver's block, and an extension that may hold a driver, a table of shared messages, or an image of the
/// library's own cache. Their readers are seldom run, and were the source of many of its faults: files with them are
/// refused. Layout: HDF5 File Format Specification, version 3.0, II.A.
enum Superblock {
    private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Refuses a file whose superblock the library had better not see.
    ///
    /// - Throws: `InputError` where the file is not HDF5, cut off, or of an unusual make; `FileError` where reading
    ///   fails.
    static func check(_ path: String, size: Int) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, "open") }
        defer { close(descriptor) }
        var block = [UInt8](repeating: 0, count: 64)
        // At the file's begin, or behind another program's block of 512 bytes, 1024, and so on.
        var start = 0
        while start + 8 <= size {
            let count = pread(descriptor, &block, block.count, off_t(start))
            guard count >= 0 else { throw FileError(path, "read") }
            if count >= 8, block.starts(with: signature) {
                return try check(Array(block[..<count]), path, size: size)
            }
            start = start == 0 ? 512 : 2 * start
        }
        let kind = FileKind.description(of: path).map { ", but \($0)" } ?? ""
        throw InputError(path, "not an HDF5 file\(kind)", remedy: "check the path, or make the file again")
    }

    private static func check(_ block: [UInt8], _ path: String, size: Int) throws {
        // A number of the block, eight bytes at `offset`.
        func number(_ offset: Int) -> UInt64 {
            block[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        func refuse(_ problem: String) -> InputError {
            InputError(path, at: "the superblock", problem, remedy: "the file is damaged: restore it or make it again")
        }
        guard block.count >= 60 else { throw refuse("\(block.count) bytes, cut off") }
        let version = block[8]
        guard version <= 3 else { throw refuse("version \(version), expected 0 to 3") }
        let isOld = version < 2
        let widths = isOld ? block[13...14] : block[9...10]
        guard widths.allSatisfy({ $0 == 8 }) else {
            throw refuse("addresses and lengths of \(Array(widths)) bytes, expected 8")
        }
        let addresses = isOld ? 24 + 4 * Int(version) : 12
        let end = number(addresses + 16)
        guard end <= UInt64(size) else {
            throw refuse("\(size) bytes, expected \(end): the file is cut off")
        }
        guard number(addresses + (isOld ? 24 : 8)) == .max else {
            throw refuse(isOld ? "a driver's block, which is not read" : "an extension, which is not read")
        }
    }
}
