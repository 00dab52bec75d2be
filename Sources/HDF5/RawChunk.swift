import CHDF5
import CZlib
import FileIO

/// A chunk as it stands in the file: reading it needs the library, unpacking it does not.
///
/// So one thread reads while others inflate: the library does one thing at a time.
public struct RawChunk: Sendable {
    let site: Site
    let place: String
    let filters: [HDF5Filter]
    let skipped: UInt32
    let elementSize: Int
    let decodedBytes: Int
    let bytes: [UInt8]

    /// Unpacks the chunk: checks the Fletcher-32 sum, inflates and unshuffles.
    ///
    /// - Returns: The elements as bytes.
    /// - Throws: `InputError` naming file, dataset and chunk where the bytes are damaged.
    public func decoded() throws -> [UInt8] {
        var bytes = bytes
        for (index, filter) in filters.enumerated().reversed() where skipped & (1 << UInt32(index)) == 0 {
            switch filter {
            case .fletcher32: bytes = try verified(bytes)
            case .deflate: bytes = try inflated(bytes)
            case .shuffle: bytes = unshuffled(bytes)
            case .other(let id): throw site.mismatch(place, "packed with filter \(id), which is not supported")
            }
        }
        guard bytes.count == decodedBytes else {
            throw damaged("unpacks to \(bytes.count) bytes, expected \(decodedBytes)")
        }
        return bytes
    }

    /// Refuses a chunk that unpacks to another length than it should; inflates it only where its length does not tell.
    ///
    /// - Throws: `InputError` naming file, dataset and chunk.
    func requireWhole() throws {
        let applied = filters.indices.filter { skipped & (1 << UInt32($0)) == 0 }.map { filters[$0] }
        let isDeflated = applied.contains { if case .deflate = $0 { true } else { false } }
        if isDeflated {
            _ = try decoded()
        } else {
            let length = bytes.count - 4 * applied.count { $0 == .fletcher32 }
            guard length == decodedBytes else { throw damaged("unpacks to \(length) bytes, expected \(decodedBytes)") }
        }
    }

    private func damaged(_ problem: String) -> any Error {
        site.mismatch(place, problem, remedy: "the file is damaged: restore it or make it again")
    }

    private func verified(_ bytes: [UInt8]) throws -> [UInt8] {
        guard bytes.count >= 4 else { throw damaged("\(bytes.count) bytes, too few for a checksum") }
        let stored = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let sum = bytes.withUnsafeBytes { Self.fletcher32($0[..<(bytes.count - 4)]) }
        guard sum == stored else { throw damaged("Fletcher-32 checksum mismatch: bytes are flipped") }
        return Array(bytes.dropLast(4))
    }

    /// Computes Fletcher's sum over big-endian 16-bit words as HDF5 does (J. Fletcher, IEEE Trans. Comm. 30, 1982).
    static func fletcher32(_ data: Slice<UnsafeRawBufferPointer>) -> UInt32 {
        let bytes = UnsafeRawBufferPointer(rebasing: data)
        var (low, high): (UInt32, UInt32) = (0, 0)
        var index = 0
        let even = bytes.count & ~1
        while index < even {
            // 360 words are the most that cannot overflow 32 bits.
            let end = min(even, index + 720)
            while index < end {
                low &+= UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
                high &+= low
                index += 2
            }
            low = (low & 0xFFFF) + (low >> 16)
            high = (high & 0xFFFF) + (high >> 16)
        }
        if even < bytes.count {
            low &+= UInt32(bytes[even]) << 8
            high &+= low
            low = (low & 0xFFFF) + (low >> 16)
            high = (high & 0xFFFF) + (high >> 16)
        }
        low = (low & 0xFFFF) + (low >> 16)
        high = (high & 0xFFFF) + (high >> 16)
        return high << 16 | low
    }

    private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        var length = uLongf(decodedBytes)
        var status: Int32 = Z_OK
        let result = [UInt8](unsafeUninitializedCapacity: decodedBytes) { buffer, count in
            status = uncompress(buffer.baseAddress, &length, bytes, uLong(bytes.count))
            count = status == Z_OK ? Int(length) : 0
        }
        guard status == Z_OK else { throw damaged("cannot be inflated (zlib status \(status))") }
        return result
    }

    private func unshuffled(_ bytes: [UInt8]) -> [UInt8] {
        guard elementSize > 1 else { return bytes }
        let count = bytes.count / elementSize
        var result = bytes
        for byte in 0..<elementSize {
            for element in 0..<count { result[element * elementSize + byte] = bytes[byte * count + element] }
        }
        return result
    }
}

extension HDF5Dataset {
    /// Reads the chunk that begins at `row` of the first axis and at 0 on the others.
    ///
    /// - Throws: `InputError` where it is missing or claims more than its bytes can hold.
    /// - Precondition: The dataset is chunked; `row` is inside it and begins a chunk.
    public func rawChunk(row: Int) throws -> RawChunk {
        guard let chunk else { throw site.mismatch(path, "not chunked, expected one chunk per row") }
        precondition(0..<shape[0] ~= row && row % chunk[0] == 0, "no chunk begins at row \(row) of \(shape)")
        guard let raw = try rawChunk(at: [row] + [Int](repeating: 0, count: shape.count - 1), of: chunk) else {
            throw site.mismatch("\(path) [\(row)]", "no such chunk is in the file", remedy: "make it again")
        }
        return raw
    }

    /// Refuses rows whose chunks unpack to another length than they should. The library takes whole chunks for granted,
    /// and reads on behind the end of one that unpacks to less.
    ///
    /// - Throws: `InputError` naming file, dataset and row.
    func requireWholeChunks(_ rows: Range<Int>) throws {
        guard !filters.isEmpty else { return }
        try forEachChunk(rows) { try $0.requireWhole() }
    }

    /// Unpacks every chunk, so that every checksum is verified. Only the reading takes turns with other threads.
    ///
    /// - Throws: `InputError` naming file, dataset and chunk.
    public func verifyChunks() throws { try forEachChunk(0..<(shape.first ?? 0)) { _ = try $0.decoded() } }

    /// Reads the chunks that hold a range of rows, one after the other.
    private func forEachChunk(_ rows: Range<Int>, _ body: (RawChunk) throws -> Void) throws {
        guard let chunk, count > 0, !rows.isEmpty else { return }
        var offset = [Int](repeating: 0, count: shape.count)
        offset[0] = rows.lowerBound / chunk[0] * chunk[0]
        while offset[0] < rows.upperBound {
            if let raw = try rawChunk(at: offset, of: chunk) { try body(raw) }
            var axis = shape.count - 1
            offset[axis] += chunk[axis]
            while axis > 0, offset[axis] >= shape[axis] {
                offset[axis] = 0
                axis -= 1
                offset[axis] += chunk[axis]
            }
        }
    }

    /// Reads the chunk that begins at `start`; nil where the file has none there.
    private func rawChunk(at start: [Int], of chunk: [Int]) throws -> RawChunk? {
        let place = "\(path) [\(start[0])]"
        let elementSize = kind.elementBytes
        let decoded = try site.count(chunk, elementSize: elementSize, place) * elementSize
        let offset = start.map { hsize_t($0) }
        return try Library.run {
            var stored: hsize_t = 0
            guard H5Dget_chunk_storage_size(handle.id, offset, &stored) >= 0 else {
                throw site.failure(place, "find the chunk")
            }
            guard stored > 0 else { return nil }
            guard let size = Int(exactly: stored), size <= storedBytes, decoded / 1032 <= size
            else { throw site.mismatch(place, "\(stored) stored bytes cannot hold \(decoded)") }
            var mask: UInt32 = 0
            let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                guard H5Dread_chunk(handle.id, luna_h5_default(), offset, &mask, buffer.baseAddress) >= 0 else {
                    throw site.failure(place, "read the chunk")
                }
                count = size
            }
            return RawChunk(
                site: site, place: place, filters: filters, skipped: mask, elementSize: elementSize,
                decodedBytes: decoded, bytes: bytes)
        }
    }
}

/// A chunk packed for writing: packing needs no lock, so that many are packed at a time.
public struct PackedChunk: Sendable {
    let bytes: [UInt8]
    /// The bits of the filters that were left out, since they would have made the chunk larger.
    let skipped: UInt32
}

extension HDF5Dataset {
    /// Deflates a chunk's bytes and adds their sum, as the dataset's filters ask for.
    ///
    /// - Precondition: `bytes` fill a chunk, elements are bytes, and the filters are deflate and Fletcher-32 at most.
    public func packed(_ bytes: [UInt8]) -> PackedChunk {
        precondition(kind.elementBytes == 1, "\(path) holds \(kind), expected bytes")
        precondition(bytes.count == chunk?.reduce(1, *), "\(bytes.count) bytes do not fill a chunk of \(path)")
        var (result, skipped) = (bytes, UInt32(0))
        for (index, filter) in filters.enumerated() {
            switch filter {
            case .deflate(let level):
                if let smaller = Self.deflated(result, level: level) {
                    result = smaller
                } else {
                    skipped |= 1 << UInt32(index)
                }
            case .fletcher32:
                let sum = result.withUnsafeBytes { RawChunk.fletcher32($0[...]) }
                for shift in [0, 8, 16, 24] { result.append(UInt8(truncatingIfNeeded: sum >> UInt32(shift))) }
            default: preconditionFailure("\(path): cannot pack with \(filter)")
            }
        }
        return PackedChunk(bytes: result, skipped: skipped)
    }

    /// Returns the bytes deflated, or nil where that makes nothing smaller.
    private static func deflated(_ bytes: [UInt8], level: Int) -> [UInt8]? {
        var length = compressBound(uLong(bytes.count))
        var status: Int32 = Z_OK
        let result = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
            status = compress2(buffer.baseAddress, &length, bytes, uLong(bytes.count), Int32(level))
            count = status == Z_OK ? Int(length) : 0
        }
        return status == Z_OK && result.count < bytes.count ? result : nil
    }

    /// Writes the chunk that begins at `row` of the first axis and at 0 on the others.
    ///
    /// - Throws: `FileError` where the system refuses.
    /// - Precondition: A chunk begins there.
    public func write(_ packed: PackedChunk, row: Int) throws {
        precondition(0..<shape[0] ~= row && row % (chunk?[0] ?? 1) == 0, "no chunk begins at row \(row) of \(shape)")
        let offset = [hsize_t(row)] + [hsize_t](repeating: 0, count: shape.count - 1)
        try Library.run {
            let status = packed.bytes.withUnsafeBytes {
                H5Dwrite_chunk(handle.id, luna_h5_default(), packed.skipped, offset, $0.count, $0.baseAddress)
            }
            guard status >= 0 else { throw site.failure("\(path) [\(row)]", "write") }
        }
    }
}
