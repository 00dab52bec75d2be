import FileIO

/// A compressed frame, whose own header agrees with the file's: what the decoders take for granted.
///
/// A decoder given a frame of another size than announced would write beyond its memory or never end.
struct Codestream {
    /// The bytes that the decoder is given.
    private(set) var bytes: [UInt8]
    /// The number of bits of one voxel.
    private(set) var precision: Int
    private(set) var isSigned: Bool

    private let slice: Slice

    /// Checks a frame.
    ///
    /// - Throws: `InputError` where the frame is damaged or another one than announced.
    init(_ frame: [UInt8], of slice: Slice) throws {
        self.slice = slice
        bytes = frame
        (precision, isSigned) = (16, slice.format.isSigned)
        switch slice.syntax {
        case .runLength: try checkRuns()
        case .jpeg2000, .jpeg2000Lossless: try checkJPEG2000()
        case .jpegLSLossless, .jpegLSNearLossless: try cleanJPEG(frames: [0xf7], tables: [0xf8])
        // Sequential with 12 bits (SOF1) and lossless (SOF3), by Huffman coding.
        case .jpegExtended: try cleanJPEG(frames: [0xc1], tables: [0xc4, 0xdb, 0xdd])
        case .jpegLossless, .jpegLosslessFirstOrder: try cleanJPEG(frames: [0xc3], tables: [0xc4, 0xdb, 0xdd])
        case .implicitLittleEndian, .explicitLittleEndian, .explicitBigEndian: break
        }
    }

    private func damaged(_ problem: String) -> InputError {
        InputError(
            slice.path, at: Tag.pixelData.description, problem,
            remedy: "the file is damaged: copy it again from its source")
    }

    private func word(_ offset: Int) throws -> Int {
        guard offset >= 0, offset + 1 < bytes.count else { throw damaged("the compressed frame is cut off") }
        return Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    }

    private func longWord(_ offset: Int) throws -> Int { try word(offset) << 16 | word(offset + 2) }

    private mutating func agree(columns: Int, rows: Int, components: Int, precision: Int) throws {
        guard columns == slice.columns, rows == slice.rows else {
            throw damaged("a compressed frame of \(columns) x \(rows), expected \(slice.columns) x \(slice.rows)")
        }
        guard components == 1 else { throw damaged("a compressed frame of \(components) components, expected 1") }
        guard 9...16 ~= precision else { throw damaged("a compressed frame of \(precision) bits, expected 9 to 16") }
        self.precision = precision
    }

    /// Checks run lengths: a header of 16 little-endian words, then one segment for the upper and one for the lower
    /// bytes (PS3.5, annex G).
    private func checkRuns() throws {
        func number(_ index: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[4 * index + $1]) << (8 * $1) } }
        guard bytes.count > 64, number(0) == 2, number(1) == 64, 64..<bytes.count ~= number(2) else {
            throw damaged("no run-length frame of two segments")
        }
    }

    /// Checks JPEG 2000: SOC and SIZ begin the codestream (ISO 15444-1, A.5.1).
    private mutating func checkJPEG2000() throws {
        guard try word(0) == 0xff4f, try word(2) == 0xff51, try word(4) >= 41 else {
            throw damaged("no JPEG 2000 codestream")
        }
        let (right, bottom, left, top) = (try longWord(8), try longWord(12), try longWord(16), try longWord(20))
        let (tileWidth, tileHeight) = (try longWord(24), try longWord(28))
        let tileCorner = (x: try longWord(32), y: try longWord(36))
        let size = try longWord(40)
        let (components, depth) = (size >> 16, size >> 8 & 0x7f)
        guard try word(42) & 0xff == 1, try word(44) >> 8 == 1, left <= right, top <= bottom else {
            throw damaged("a JPEG 2000 codestream with fewer voxels than its grid has")
        }
        try agree(columns: right - left, rows: bottom - top, components: components, precision: depth + 1)
        // The decoder keeps a table for every tile: no more of them than voxels.
        guard tileWidth > 0, tileHeight > 0, tileCorner.x <= left, tileCorner.y <= top else {
            throw damaged("a JPEG 2000 codestream without tiles")
        }
        let tiles =
            ((right - tileCorner.x + tileWidth - 1) / tileWidth)
            * ((bottom - tileCorner.y + tileHeight - 1) / tileHeight)
        guard tiles <= max(1, bytes.count / 14) else {
            throw damaged("a JPEG 2000 codestream of \(tiles) tiles, which its \(bytes.count) bytes cannot hold")
        }
        isSigned = size >> 8 & 0x80 != 0
    }

    /// Checks a JPEG or JPEG-LS stream and keeps what is needed to decode it: tables, the frame's header, one scan.
    ///
    /// Segments that applications have left in it are dropped: GDCM ends the process where it dislikes a version in
    /// there, and searches forever where a length there leads beyond the end.
    private mutating func cleanJPEG(frames: Set<Int>, tables: Set<Int>) throws {
        guard try word(0) == 0xffd8 else { throw damaged("no JPEG stream") }
        var cleaned: [UInt8] = [0xff, 0xd8]
        var position = 2
        var hasFrame = false
        while true {
            let marker = try word(position)
            guard marker >> 8 == 0xff else { throw damaged("no JPEG marker where one was expected") }
            let kind = marker & 0xff
            if kind == 0xff {
                position += 1
                continue
            }
            let length = try word(position + 2)
            let end = position + 2 + length
            guard length >= 2, end <= bytes.count else { throw damaged("the compressed frame is cut off") }
            let isApplications = 0xe0...0xef ~= kind || kind == 0xfe
            if frames.contains(kind) {
                guard !hasFrame, length >= 11 else { throw damaged("two JPEG frames in one") }
                hasFrame = true
                try agree(
                    columns: word(position + 7), rows: word(position + 5), components: Int(bytes[position + 9]),
                    precision: Int(bytes[position + 4]))
            } else if kind != 0xda && !tables.contains(kind) && !isApplications {
                throw damaged("a JPEG stream of another kind than \(slice.transferName) (marker \(kind))")
            }
            if !isApplications { cleaned += bytes[position..<end] }
            position = end
            if kind == 0xda { break }
        }
        guard hasFrame else { throw damaged("a JPEG scan before its frame") }
        let scanEnd = try self.scanEnd(from: position)
        cleaned += bytes[position..<scanEnd] + [0xff, 0xd9]
        bytes = cleaned
    }

    /// Finds the end-of-image marker: the first marker in the scan's data that is not for restarting.
    private func scanEnd(from start: Int) throws -> Int {
        var position = start
        while position + 1 < bytes.count {
            if bytes[position] == 0xff && bytes[position + 1] >= 0x80 {
                let kind = bytes[position + 1]
                if kind == 0xd9 { return position }
                if kind == 0xff {
                    position += 1
                    continue
                }
                guard 0xd0...0xd7 ~= kind else { throw damaged("more than one scan in a JPEG stream") }
            }
            position += 1
        }
        throw damaged("the compressed frame is cut off")
    }
}

extension Slice {
    /// The transfer syntax in words, for messages.
    var transferName: String { "transfer syntax \(syntax.rawValue)" }
}
