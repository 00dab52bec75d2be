import Basics
import FileIO

/// The place and the form in which a file holds the voxels of a volume, as its header says: what is common to all
/// formats.
struct VoxelStorage: Sendable {
    /// The file that holds the voxels.
    var path: String
    /// The byte of that file at which the voxels, or their compressed form, begin.
    var offset: Int
    /// The number of bytes that are stored there.
    var storedByteCount: Int
    var isCompressed: Bool
    /// The number of bytes that precede the voxels once the stream is inflated; 0 where it is not compressed.
    var inflatedOffset = 0
    /// The number of bytes that follow the voxels once the stream is inflated, where the place is given from its end;
    /// else nil.
    var inflatedTail: Int?
    var extent: ZYX<Int>
    var elementType: ElementType
    var byteOrder: ByteOrder
    /// The way from stored values to HU; nil where they are HU.
    var rescale: Rescale?

    /// The number of bytes of the voxels once inflated.
    var byteCount: Int { extent.product * elementType.size }

    /// The most bytes that one of deflate's yields.
    private static let largestInflation = 1032

    /// Whether an extent's voxels, of eight bytes each, can be counted at all.
    static func canCount(_ extent: [Int]) -> Bool {
        var bytes = 8
        for count in extent {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: count)
            if overflow { return false }
            bytes = product
        }
        return true
    }

    /// Checks that the voxels can be in the file, before anything is allocated for them.
    ///
    /// - Parameters:
    ///   - header: The header's file.
    ///   - place: The field in which the header gives the extent.
    ///   - typeName: The header's word for the element type.
    /// - Throws: `InputError` naming the field.
    func check(header: String, at place: String, typeName: String) throws {
        guard isCompressed else {
            guard storedByteCount == byteCount else {
                let size = "\(extent.x) \(extent.y) \(extent.z)"
                throw InputError(
                    path, "\(storedByteCount) bytes, expected \(byteCount) for \(size) voxels of \(typeName)",
                    remedy: storedByteCount < byteCount
                        ? "the file is cut off: download it again"
                        : "the header does not belong to it: download both again")
            }
            return
        }
        let (inflated, overflow) = byteCount.addingReportingOverflow(inflatedOffset)
        guard !overflow, inflated / Self.largestInflation <= storedByteCount else {
            throw InputError(
                header, at: place, "\(byteCount) bytes of voxels cannot come from \(storedByteCount) compressed ones",
                remedy: "correct the header, or download the file again")
        }
    }

    /// Reads the voxels, converting them to `Voxel` where they are of another type: to the nearest value that `Voxel`
    /// holds, not-a-number to 0.
    ///
    /// - Throws: `InputError` where the data are damaged or cut off; `FileError` where reading fails.
    func voxels<Voxel: VoxelScalar>(as type: Voxel.Type) throws -> [Voxel] {
        // Spelled out, not opened from `voxelType`: so each conversion is compiled for its two types.
        switch elementType {
        case .char: try voxels(storedAs: Int8.self)
        case .unsignedChar: try voxels(storedAs: UInt8.self)
        case .short: try voxels(storedAs: Int16.self)
        case .unsignedShort: try voxels(storedAs: UInt16.self)
        case .int, .long: try voxels(storedAs: Int32.self)
        case .unsignedInt, .unsignedLong: try voxels(storedAs: UInt32.self)
        case .longLong: try voxels(storedAs: Int64.self)
        case .unsignedLongLong: try voxels(storedAs: UInt64.self)
        case .float: try voxels(storedAs: Float.self)
        case .double: try voxels(storedAs: Double.self)
        }
    }

    private func voxels<Stored: VoxelScalar, Voxel: VoxelScalar>(storedAs: Stored.Type) throws -> [Voxel] {
        let count = extent.product
        let swapped = byteOrder != .native && elementType.size > 1
        var source = try VoxelBytes(self)
        try source.skip(inflatedTail.map { try bytesBeforeVoxels(tail: $0) } ?? inflatedOffset)
        let voxels = try [Voxel](unsafeUninitializedCapacity: count) { buffer, initialized in
            if Stored.self == Voxel.self && rescale == nil {
                try source.fill(UnsafeMutableRawBufferPointer(buffer))
                if swapped {
                    for index in 0..<count { buffer[index] = buffer[index].byteSwappedVoxel }
                }
            } else {
                try convert(from: Stored.self, &source, into: buffer, swapped: swapped)
            }
            initialized = count
        }
        try source.skip(inflatedTail ?? 0)
        try source.expectEnd()
        return voxels
    }

    /// Counts the bytes before voxels whose place is given from the stream's end, by inflating it once.
    private func bytesBeforeVoxels(tail: Int) throws -> Int {
        var source = try VoxelBytes(self)
        let total = try source.count()
        guard total - tail >= byteCount else {
            throw InputError(
                path, "\(total) bytes inflated, expected \(byteCount) of voxels and \(tail) behind them",
                remedy: "correct the header, or download the file again")
        }
        return total - tail - byteCount
    }

    /// Converts piece by piece, so that the stored form is never whole in memory.
    private func convert<Stored: VoxelScalar, Voxel: VoxelScalar>(
        from: Stored.Type, _ source: inout VoxelBytes, into buffer: UnsafeMutableBufferPointer<Voxel>, swapped: Bool
    ) throws {
        let piece = UnsafeMutableBufferPointer<Stored>.allocate(capacity: min(buffer.count, 1 << 16))
        defer { piece.deallocate() }
        for start in stride(from: 0, to: buffer.count, by: piece.count) {
            let length = min(piece.count, buffer.count - start)
            try source.fill(
                UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(piece)[..<(length * MemoryLayout<Stored>.stride)]))
            if swapped {
                for index in 0..<length { piece[index] = piece[index].byteSwappedVoxel }
            }
            if let rescale {
                for index in 0..<length { buffer[start + index] = Voxel(clampingVoxel: rescale(piece[index])) }
            } else {
                for index in 0..<length { buffer[start + index] = piece[index].clamped(to: Voxel.self) }
            }
        }
    }
}

/// The way from a stored value to HU: times `slope`, plus `intercept`.
public struct Rescale: Hashable, Sendable {
    /// The factor.
    public var slope: Double
    /// The summand, HU.
    public var intercept: Double

    /// Makes a rescaling from its two numbers.
    public init(slope: Double, intercept: Double) {
        self.slope = slope
        self.intercept = intercept
    }

    /// Rescales a value as ITK does: all types but Double by way of Float. Not-a-number becomes 0.
    @inline(__always) func callAsFunction<Stored: VoxelScalar>(_ value: Stored) -> Double {
        if value != value { return 0 }
        if Stored.self == Double.self { return value.clamped(to: Double.self) * slope + intercept }
        return Double(Float(Double(value.clamped(to: Float.self)) * slope + intercept))
    }
}

/// The bytes of stored voxels from front to back, inflated where they are compressed.
private enum VoxelBytes: ~Copyable {
    case plain(FileSource, VoxelStorage)
    case compressed(InflateSource, VoxelStorage)

    init(_ storage: VoxelStorage) throws {
        let file = try FileSource(path: storage.path, offset: storage.offset, count: storage.storedByteCount)
        self = storage.isCompressed ? .compressed(try InflateSource(file), storage) : .plain(file, storage)
    }

    /// Passes over so many bytes.
    mutating func skip(_ count: Int) throws {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(count, 1 << 16), alignment: 16)
        defer { piece.deallocate() }
        var rest = count
        while rest > 0 {
            let length = min(rest, piece.count)
            try fill(UnsafeMutableRawBufferPointer(rebasing: piece[..<length]))
            rest -= length
        }
    }

    /// Reads to the end, and returns the number of bytes.
    mutating func count() throws -> Int {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { piece.deallocate() }
        var total = 0
        while true {
            let (count, _) = try read(into: piece)
            total += count
            if count < piece.count { return total }
        }
    }

    /// Fills the buffer with the next bytes.
    mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) throws {
        let (count, storage) = try read(into: buffer)
        guard count == buffer.count else {
            throw InputError(
                storage.path, "ends before the \(storage.byteCount) bytes that its header announces",
                remedy: "download the file again")
        }
    }

    /// Refuses a file that holds more; also has zlib verify the checksum at the stream's end.
    mutating func expectEnd() throws {
        var byte: UInt8 = 0
        let (count, storage) = try withUnsafeMutableBytes(of: &byte) { try read(into: $0) }
        guard count == 0 else {
            throw InputError(
                storage.path, "holds more than the \(storage.byteCount) bytes that its header announces",
                remedy: "download header and data again")
        }
    }

    private mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> (Int, VoxelStorage) {
        switch consume self {
        case .plain(var source, let storage):
            do {
                let count = try source.read(into: buffer)
                self = .plain(source, storage)
                return (count, storage)
            } catch {
                self = .plain(source, storage)
                throw error
            }
        case .compressed(var source, let storage):
            do {
                let count = try source.read(into: buffer)
                self = .compressed(source, storage)
                return (count, storage)
            } catch {
                self = .compressed(source, storage)
                throw error
            }
        }
    }
}
