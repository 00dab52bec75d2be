import FileIO
import TestSupport
import Testing

@testable import HDF5

@Suite struct RoundTripTests {
    /// The library writes back and forth, and would replace the device.
    @Test(arguments: ["/dev/null", "/dev/stdout"]) func aDeviceIsRefused(path: String) {
        #expect(throws: FileError(path, "write", reason: "it is no regular file, which this format needs")) {
            try HDF5File.write(to: path) { try $0.write("/a", shape: [1], values: [1] as [Float]) }
        }
    }

    @Test(arguments: [HDF5Compression.none, .deflate(4)], [true, false])
    func numbersComeBack(compression: HDF5Compression, checksum: Bool) throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            let floats = (0..<24).map { Float($0) * 0.37 - 3 }
            try HDF5File.write(to: path) { file in
                try file.write(
                    "/g/h/f", shape: [2, 3, 4], values: floats, compression: compression, checksum: checksum)
                try file.write("/d", shape: [2], values: [Double.pi, -.infinity], checksum: checksum)
                try file.write("/i", shape: [3], values: [Int64.min, 0, .max], compression: compression)
                try file.write("/j", shape: [2], values: [Int32.min, .max], compression: compression)
                try file.write("/u", shape: [1, 3], values: [0, 128, 255] as [UInt8], compression: compression)
                try file.write("/none", shape: [0, 7], values: [] as [Float], compression: compression)
                try file.write("/scalar", shape: [], values: [2.5] as [Float])
            }
            let file = try HDF5File(reading: path)
            let f = try file.read("/g/h/f", as: Float.self)
            #expect(f.shape == [2, 3, 4])
            #expect(f.values == floats)
            #expect(try file.read("/d", as: Double.self).values == [Double.pi, -.infinity])
            #expect(try file.read("/i", as: Int64.self).values == [Int64.min, 0, .max])
            #expect(try file.read("/j", as: Int32.self).values == [Int32.min, .max])
            #expect(try file.read("/u", as: UInt8.self).values == [0, 128, 255])
            #expect(try file.read("/none", as: Float.self).shape == [0, 7])
            #expect(try file.read("/scalar", as: Float.self).values == [2.5])
            #expect(try file.datasetPaths() == ["/d", "/g/h/f", "/i", "/j", "/none", "/scalar", "/u"])
            #expect(try file.names(in: "/g") == ["h"])
            let exist = ["/g/h/f", "/g/x/f", "/g/h/f/k", "/"].map { file.exists($0) }
            #expect(exist == [true, false, false, true])
            #expect(try file.dataset("/g/h/f").isChecksummed == checksum)
        }
    }

    @Test func stringsAndAttributesComeBack() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            try HDF5File.write(to: path) { file in
                try file.write("/series", strings: ["1.2.840", "", "naïve ✓"])
                try file.write("/empty", strings: [])
                try file.setAttribute("format", to: "luna")
                try file.setAttribute("format", to: "luna-test")
                try file.setAttribute("nothing", to: "")
                try file.setAttribute("names", to: ["a", "bcd"])
                try file.setAttribute("spacing", of: "/series", to: [2.5, 0.7, 0.7])
                try file.setAttribute("seed", to: UInt64.max)
                try file.setAttribute("step", to: Int64(-3))
                try file.setAttribute("long", to: String(repeating: "x", count: 200_000))
            }
            let file = try HDF5File(reading: path)
            #expect(try file.readStrings("/series") == ["1.2.840", "", "naïve ✓"])
            #expect(try file.readStrings("/empty").isEmpty)
            #expect(try file.attribute("format", as: String.self) == "luna-test")
            #expect(try file.attribute("nothing", as: String.self).isEmpty)
            #expect(try file.attribute("names", as: [String].self) == ["a", "bcd"])
            #expect(try file.attribute("spacing", of: "/series", as: [Double].self) == [2.5, 0.7, 0.7])
            #expect(try file.attribute("seed", as: UInt64.self) == .max)
            #expect(try file.attribute("step", as: Int64.self) == -3)
            #expect(try file.attribute("long", as: String.self).utf8.count == 200_000)
            #expect(try file.attributeNames() == ["format", "long", "names", "nothing", "seed", "step"])
            let hasAbsent = file.hasAttribute("absent")
            #expect(!hasAbsent)
        }
    }

    @Test func rowsAndChunks() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            let values = (0..<5 * 35).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
            let words = (0..<5 * 6).map { Int32($0 * 100_003) }
            try HDF5File.write(to: path) { file in
                let bytes = try file.createDataset(
                    "/patches", as: UInt8.self, shape: [5, 5, 7], chunk: [1, 5, 7], compression: .deflate(4))
                let wide = try file.createDataset(
                    "/words", as: Int32.self, shape: [5, 6], chunk: [1, 6], compression: .deflate(1))
                for row in 0..<5 {
                    try bytes.write(rows: row..<row + 1, values: Array(values[row * 35..<(row + 1) * 35]))
                    try wide.write(rows: row..<row + 1, values: Array(words[row * 6..<(row + 1) * 6]))
                }
            }
            let file = try HDF5File(reading: path)
            let dataset = try file.dataset("/patches")
            #expect(dataset.filters == [.deflate(4), .fletcher32])
            #expect(try dataset.read(as: UInt8.self) == values)
            for row in 0..<5 {
                let expected = Array(values[row * 35..<(row + 1) * 35])
                #expect(try dataset.read(rows: row..<row + 1, as: UInt8.self) == expected)
                // An odd number of bytes and shuffled words: the sum and the order are the library's.
                #expect(try dataset.rawChunk(row: row).decoded() == expected)
                let word = try file.dataset("/words").rawChunk(row: row).decoded()
                #expect(
                    word
                        == words[row * 6..<(row + 1) * 6].flatMap { w in
                            withUnsafeBytes(of: w.littleEndian) { Array($0) }
                        })
            }
            #expect(try dataset.read(rows: 1..<4, as: UInt8.self) == Array(values[35..<140]))
        }
    }

    /// Packed here, unpacked by the library: what deflates well and what does not.
    @Test func packedChunksAreReadByTheLibrary() throws {
        try withTemporaryDirectory { directory in
            let rows: [[UInt8]] = [
                [UInt8](repeating: 7, count: 999), (0..<999).map { UInt8($0 % 13) },
                (0..<999).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13 ^ $0) },
            ]
            let contents = try [true, false].map { isPacked in
                let path = "\(directory)/\(isPacked).h5"
                try HDF5File.write(to: path) { file in
                    let dataset = try file.createDataset(
                        "/rows", as: UInt8.self, shape: [3, 999], chunk: [1, 999], compression: .deflate(4))
                    for (row, values) in rows.enumerated() {
                        if isPacked {
                            try dataset.write(dataset.packed(values), row: row)
                        } else {
                            try dataset.write(rows: row..<row + 1, values: values)
                        }
                    }
                }
                #expect(try HDF5File(reading: path).read("/rows", as: UInt8.self).values == Array(rows.joined()))
                return try FileContent.bytes(path).count
            }
            #expect(contents[0] <= contents[1])
        }
    }

    @Test func theSameContentIsTheSameBytes() throws {
        try withTemporaryDirectory { directory in
            let contents = try ["a", "b"].map { name in
                try HDF5File.write(to: "\(directory)/\(name).h5") { file in
                    try file.write(
                        "/x/y", shape: [300], values: [Float](repeating: 1.5, count: 300), compression: .deflate(4))
                    try file.write("/names", strings: ["p", "q"])
                    try file.setAttribute("format", to: "luna")
                }
                return try FileContent.bytes("\(directory)/\(name).h5")
            }
            #expect(contents[0] == contents[1])
        }
    }
}
