import FileIO

/// Volumes in MetaImage files: `.mhd` with `.raw` or `.zraw` beside it, and `.mha`.
public enum MetaImage {
    /// Reads a volume, converting its elements to `Voxel` where they are of another type: to the nearest value that
    /// `Voxel` holds, not-a-number to 0.
    ///
    /// - Throws: `InputError` naming file, field, what was expected and the remedy; `FileError` where reading fails.
    public static func read<Voxel: VoxelScalar>(_ path: String, as type: Voxel.Type) throws -> Volume<Voxel> {
        try read(MetaImageHeader(path: path), as: type)
    }

    /// Reads the volume of a header already read.
    ///
    /// - Throws: As `read(_:as:)`.
    public static func read<Voxel: VoxelScalar>(
        _ header: MetaImageHeader, as type: Voxel.Type
    ) throws -> Volume<Voxel> {
        // Spelled out, not opened from `voxelType`: so each conversion is compiled for its two types.
        let voxels =
            switch header.elementType {
            case .char: try voxels(of: header, storedAs: Int8.self, as: type)
            case .unsignedChar: try voxels(of: header, storedAs: UInt8.self, as: type)
            case .short: try voxels(of: header, storedAs: Int16.self, as: type)
            case .unsignedShort: try voxels(of: header, storedAs: UInt16.self, as: type)
            case .int, .long: try voxels(of: header, storedAs: Int32.self, as: type)
            case .unsignedInt, .unsignedLong: try voxels(of: header, storedAs: UInt32.self, as: type)
            case .longLong: try voxels(of: header, storedAs: Int64.self, as: type)
            case .unsignedLongLong: try voxels(of: header, storedAs: UInt64.self, as: type)
            case .float: try voxels(of: header, storedAs: Float.self, as: type)
            case .double: try voxels(of: header, storedAs: Double.self, as: type)
            }
        return Volume(geometry: header.geometry, voxels: voxels, source: header.path)
    }

    private static func voxels<Stored: VoxelScalar, Voxel: VoxelScalar>(
        of header: MetaImageHeader, storedAs: Stored.Type, as: Voxel.Type
    ) throws -> [Voxel] {
        let count = header.geometry.extent.product
        var source = try VoxelBytes(header)
        let voxels = try [Voxel](unsafeUninitializedCapacity: count) { buffer, initialized in
            if Stored.self == Voxel.self {
                try source.fill(UnsafeMutableRawBufferPointer(buffer))
                if header.byteOrder != .native && Stored.self != UInt8.self {
                    for index in 0..<count { buffer[index] = buffer[index].byteSwappedVoxel }
                }
            } else {
                try convert(from: Stored.self, &source, into: buffer, swapped: header.byteOrder != .native)
            }
            initialized = count
        }
        try source.expectEnd()
        return voxels
    }

    /// Converts piece by piece, so that the stored form is never whole in memory.
    private static func convert<Stored: VoxelScalar, Voxel: VoxelScalar>(
        from: Stored.Type, _ source: inout VoxelBytes, into buffer: UnsafeMutableBufferPointer<Voxel>, swapped: Bool
    ) throws {
        let piece = UnsafeMutableBufferPointer<Stored>.allocate(capacity: min(buffer.count, 1 << 16))
        defer { piece.deallocate() }
        for start in stride(from: 0, to: buffer.count, by: piece.count) {
            let length = min(piece.count, buffer.count - start)
            try source.fill(
                UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(piece)[
                        ..<(length * MemoryLayout<Stored>.stride)]))
            for index in 0..<length {
                let value = swapped ? piece[index].byteSwappedVoxel : piece[index]
                buffer[start + index] = value.clamped(to: Voxel.self)
            }
        }
    }

    /// A header's voxels as bytes, stored plainly or compressed.
    private enum VoxelBytes: ~Copyable {
        case plain(FileSource, MetaImageHeader)
        case compressed(InflateSource, MetaImageHeader)

        init(_ header: MetaImageHeader) throws {
            let file = try FileSource(
                path: header.dataPath, offset: header.dataOffset, count: header.storedByteCount)
            self = header.isCompressed ? .compressed(try InflateSource(file), header) : .plain(file, header)
        }

        /// Fills the buffer with the next bytes.
        mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) throws {
            let (count, header) = try read(into: buffer)
            guard count == buffer.count else {
                throw InputError(
                    header.dataPath, "ends before the \(header.byteCount) bytes that its header announces",
                    remedy: "download the file again")
            }
        }

        /// That nothing is left: also has zlib verify the checksum at the stream's end.
        mutating func expectEnd() throws {
            var byte: UInt8 = 0
            let (count, header) = try withUnsafeMutableBytes(of: &byte) { try read(into: $0) }
            guard count == 0 else {
                throw InputError(
                    header.dataPath, "holds more than the \(header.byteCount) bytes that its header announces",
                    remedy: "download header and data again")
            }
        }

        private mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> (Int, MetaImageHeader) {
            switch consume self {
            case .plain(var source, let header):
                do {
                    let count = try source.read(into: buffer)
                    self = .plain(source, header)
                    return (count, header)
                } catch {
                    self = .plain(source, header)
                    throw error
                }
            case .compressed(var source, let header):
                do {
                    let count = try source.read(into: buffer)
                    self = .compressed(source, header)
                    return (count, header)
                } catch {
                    self = .compressed(source, header)
                    throw error
                }
            }
        }
    }
}
