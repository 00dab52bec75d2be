import CZlib

/// A PNG file of 8 bits a channel, grey or RGB, read by the book: chunks and their checksums, zlib, the five filters.
struct PNGDecoder {
    var width = 0
    var height = 0
    var channels = 0
    /// The filter of each row.
    var filters: [UInt8] = []
    /// [height, width, channels].
    var samples: [UInt8] = []

    struct Malformed: Error { var reason: String }

    init(_ file: [UInt8]) throws {
        guard file.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]) else { throw Malformed(reason: "signature") }
        func number(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        var (place, packed, names): (Int, [UInt8], [String]) = (8, [], [])
        while place < file.count {
            let end = place + 8 + number(place)
            let body = Array(file[place + 4..<end])
            guard number(end) == Int(crc32(0, body, UInt32(body.count))) else { throw Malformed(reason: "CRC") }
            names.append(String(decoding: body[..<4], as: UTF8.self))
            if names.last == "IHDR" {
                (width, height, channels) = (number(place + 8), number(place + 12), body[13] == 2 ? 3 : 1)
                guard body[12] == 8, [0, 2].contains(body[13]), body[14...] == [0, 0, 0] else {
                    throw Malformed(reason: "header")
                }
            }
            if names.last == "IDAT" { packed += body[4...] }
            place = end + 4
        }
        guard names == ["IHDR", "IDAT", "IEND"] else { throw Malformed(reason: "chunks \(names)") }
        var size = uLong((width * channels + 1) * height)
        var rows = [UInt8](repeating: 0, count: Int(size))
        guard uncompress(&rows, &size, packed, uLong(packed.count)) == Z_OK, Int(size) == rows.count else {
            throw Malformed(reason: "data")
        }
        unfilter(rows)
    }

    private mutating func unfilter(_ rows: [UInt8]) {
        let length = width * channels
        samples = [UInt8](repeating: 0, count: length * height)
        for y in 0..<height {
            let filter = rows[y * (length + 1)]
            filters.append(filter)
            for i in 0..<length {
                func sample(_ row: Int, _ index: Int) -> Int {
                    row < 0 || index < 0 ? 0 : Int(samples[row * length + index])
                }
                let (a, b, c) = (sample(y, i - channels), sample(y - 1, i), sample(y - 1, i - channels))
                let p = a + b - c
                let nearest = [(abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c)].min { $0 < $1 }?.2 ?? 0
                let guess = [0, a, b, (a + b) / 2, nearest][Int(filter)]
                samples[y * length + i] = UInt8(truncatingIfNeeded: Int(rows[y * (length + 1) + 1 + i]) + guess)
            }
        }
    }
}
