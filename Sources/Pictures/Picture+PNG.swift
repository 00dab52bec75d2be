// Portable Network Graphics, W3C recommendation, third edition: https://www.w3.org/TR/png-3/

import CZlib
import FileIO

extension Picture {
    /// Encodes the picture as a PNG file of 8 bits a channel: grey where no pixel has a colour, RGB otherwise. The same
    /// pixels give the same bytes (for one version of zlib).
    public func png() -> [UInt8] {
        let isGrey = pixels.allSatisfy { $0.red == $0.green && $0.green == $0.blue }
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let header = PNG.bytes(UInt32(width)) + PNG.bytes(UInt32(height)) + [8, isGrey ? 0 : 2, 0, 0, 0]
        PNG.append("IHDR", header, to: &file)
        let samples = isGrey ? pixels.map(\.red) : pixels.flatMap { [$0.red, $0.green, $0.blue] }
        PNG.append("IDAT", PNG.deflated(PNG.filtered(samples, rows: height, channels: isGrey ? 1 : 3)), to: &file)
        PNG.append("IEND", [], to: &file)
        return file
    }

    /// Writes the picture as a PNG file, whole or not at all.
    ///
    /// - Throws: `FileError` where the system refuses.
    public func writePNG(to path: String) throws { try AtomicFile.write(png(), to: path) }
}

enum PNG {
    /// Returns a number's four bytes, big-endian.
    static func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    /// Adds a chunk: length, name, content, and the CRC of name and content.
    static func append(_ name: String, _ content: [UInt8], to file: inout [UInt8]) {
        let body = Array(name.utf8) + content
        file += bytes(UInt32(content.count)) + body
        file += bytes(UInt32(truncatingIfNeeded: crc32(0, body, UInt32(body.count))))
    }

    /// Filters each row, and puts the filter's number before it. Of the five filters a row gets the one whose output,
    /// read as signed, has the least sum of magnitudes: the recommendation's heuristic (section 12.7).
    ///
    /// - Parameters:
    ///   - samples: [rows, columns, channels].
    ///   - rows: The number of rows.
    ///   - channels: The number of channels.
    static func filtered(_ samples: [UInt8], rows: Int, channels: Int) -> [UInt8] {
        let length = samples.count / rows
        var result: [UInt8] = []
        result.reserveCapacity(samples.count + rows)
        var above = [UInt8](repeating: 0, count: length)
        var candidates = [[UInt8]](repeating: above, count: 5)
        for row in 0..<rows {
            let current = Array(samples[row * length..<(row + 1) * length])
            var costs = [Int](repeating: 0, count: 5)
            for index in 0..<length {
                let left = index >= channels ? current[index - channels] : 0
                let corner = index >= channels ? above[index - channels] : 0
                for filter in 0..<5 {
                    let guess: UInt8 =
                        switch filter {
                        case 0: 0
                        case 1: left
                        case 2: above[index]
                        case 3: UInt8((Int(left) + Int(above[index])) / 2)
                        default: paeth(left, above[index], corner)
                        }
                    let difference = current[index] &- guess
                    candidates[filter][index] = difference
                    costs[filter] += Int(Int8(bitPattern: difference).magnitude)
                }
            }
            let best = costs.indices.min { costs[$0] < costs[$1] } ?? 0
            result.append(UInt8(best))
            result += candidates[best]
            above = current
        }
        return result
    }

    /// Returns the left, upper or upper left neighbour, whichever is nearest to left + above − corner (A. W. Paeth,
    /// 1991).
    static func paeth(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
        let estimate = Int(left) + Int(above) - Int(corner)
        let (a, b, c) = (abs(estimate - Int(left)), abs(estimate - Int(above)), abs(estimate - Int(corner)))
        return a <= b && a <= c ? left : b <= c ? above : corner
    }

    /// Compresses bytes into a zlib stream.
    static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        let bound = compressBound(uLong(bytes.count))
        return [UInt8](unsafeUninitializedCapacity: Int(bound)) { buffer, count in
            var size = bound
            let status = compress2(buffer.baseAddress, &size, bytes, uLong(bytes.count), 6)
            precondition(status == Z_OK, "zlib cannot deflate \(bytes.count) bytes: status \(status)")
            count = Int(size)
        }
    }
}
