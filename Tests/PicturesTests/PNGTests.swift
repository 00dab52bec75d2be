import FileIO
import TestSupport
import Testing

@testable import Pictures

@Suite struct PNGTests {
    /// Pixels by a formula of (y, x).
    private static func picture(_ height: Int, _ width: Int, _ color: (Int, Int) -> Color) -> Picture {
        var picture = Picture(width: width, height: height, color: Color(grey: 0))
        for y in 0..<height { for x in 0..<width { picture[y, x] = color(y, x) } }
        return picture
    }

    private static func noise(_ y: Int, _ x: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (UInt64(y * 8191 + x + 1) &* 0x9E37_79B9_7F4A_7C15) >> 40)
    }

    @Test(arguments: [(1, 1), (1, 7), (9, 1), (31, 44)])
    func colourComesBack(height: Int, width: Int) throws {
        let picture = Self.picture(height, width) { y, x in
            Color(Self.noise(y, x), UInt8(truncatingIfNeeded: 3 * x), UInt8(truncatingIfNeeded: 200 + y))
        }
        let read = try PNGDecoder(picture.png())
        #expect((read.width, read.height, read.channels) == (width, height, 3))
        #expect(read.samples == picture.pixels.flatMap { [$0.red, $0.green, $0.blue] })
    }

    @Test func greyTakesOneChannel() throws {
        let picture = Self.picture(20, 33) { y, x in Color(grey: Self.noise(y, x)) }
        let read = try PNGDecoder(picture.png())
        #expect(read.channels == 1 && read.samples == picture.pixels.map(\.red))
        #expect(picture.png() == picture.png())
    }

    /// Rows made so that each filter is the best for some.
    @Test func everyFilterIsUsed() throws {
        var values: [[Int]] = []
        values.append((0..<64).map { $0 % 2 * 3 })  // none: small already
        values.append((0..<64).map { $0 * 4 })  // sub
        let rough = (0..<64).map { Int(Self.noise(7, $0)) }
        values += [rough, rough]  // up
        // The mean of both neighbours and a little more; then the plane a + b - c.
        var averaged = [Int](repeating: 0, count: 64)
        for x in 0..<64 { averaged[x] = ((x > 0 ? averaged[x - 1] : 0) + rough[x]) / 2 }
        values.append(averaged)
        // A step edge on the diagonal: each pixel is one of its neighbours.
        values += (0..<8).map { y in (0..<64).map { ($0 + 3 * y) / 12 % 2 * 200 } }
        let picture = Self.picture(values.count, 64) { y, x in Color(grey: UInt8(values[y][x])) }
        let read = try PNGDecoder(picture.png())
        #expect(read.samples == picture.pixels.map(\.red))
        #expect(Set(read.filters) == [0, 1, 2, 3, 4])
    }

    /// The file of one black pixel, by the recommendation.
    @Test func theFileIsAsTheRecommendationHasIt() {
        let file = Picture(width: 1, height: 1, color: Color(grey: 0)).png()
        let header: [UInt8] = [
            137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A,
            0x7E, 0x9B, 0x55,
        ]
        let end: [UInt8] = [0, 0, 0, 0, 73, 69, 78, 68, 0xAE, 0x42, 0x60, 0x82]
        #expect(file.starts(with: header) && file.suffix(12) == end[...])
    }

    @Test func aFileThatCannotBeWrittenIsNamed() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/none/a.png"
            #expect {
                try Picture(width: 1, height: 1, color: Color(grey: 0)).writePNG(to: path)
            } throws: { ($0 as? FileError)?.file == path }
        }
    }
}
