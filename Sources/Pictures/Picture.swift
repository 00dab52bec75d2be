/// A colour of 8 bits a channel.
public struct Color: Hashable, Sendable {
    /// The red channel.
    public var red: UInt8
    /// The green channel.
    public var green: UInt8
    /// The blue channel.
    public var blue: UInt8

    /// Makes a colour from its channels.
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Makes a grey, from 0 (black) to 255 (white).
    public init(grey: UInt8) { self.init(grey, grey, grey) }

    /// Lays this colour over another; `coverage` 0 leaves the other, 1 hides it.
    func over(_ other: Color, coverage: Double) -> Color {
        func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
            UInt8((Double(a) * coverage + Double(b) * (1 - coverage)).rounded())
        }
        return Color(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
    }
}

/// A picture in memory, to be drawn on and then written as PNG.
///
/// Places are (y, x) from the upper left; whole numbers are the middles of pixels. What is drawn beyond the edges is
/// cut off.
public struct Picture: Hashable, Sendable {
    /// The width in pixels.
    public let width: Int
    /// The height in pixels.
    public let height: Int
    /// The pixels, [height, width].
    public private(set) var pixels: [Color]

    /// The longest side that is drawn: more than any screen shows, and little memory.
    public static let sideLimit = 32_768

    /// Makes a picture of one colour.
    ///
    /// - Precondition: Both sides are 1 to `sideLimit`.
    public init(width: Int, height: Int, color: Color) {
        precondition(
            1...Self.sideLimit ~= width && 1...Self.sideLimit ~= height, "a picture of \(height) by \(width) pixels")
        self.width = width
        self.height = height
        pixels = [Color](repeating: color, count: width * height)
    }

    /// Makes a picture of a grey slice, each of its values as a square of `scale` by `scale` pixels, or `smooth`:
    /// linear in between.
    ///
    /// - Parameters:
    ///   - grey: [rows, columns].
    ///   - rows: The number of rows.
    ///   - columns: The number of columns.
    ///   - scale: Pixels for each value, along either side.
    ///   - smooth: Whether values between the middles of squares are interpolated.
    /// - Precondition: `grey` fills rows and columns, `scale` is positive.
    public init(grey: [UInt8], rows: Int, columns: Int, scale: Int = 1, smooth: Bool = false) {
        precondition(grey.count == rows * columns && scale > 0, "\(grey.count) values, scale \(scale)")
        self.init(width: columns * scale, height: rows * scale, color: Color(grey: 0))
        // Which two values a pixel lies between, and how far it is from the first.
        func between(_ count: Int) -> [(Int, Int, Double)] {
            (0..<count * scale).map { pixel in
                guard smooth else { return (pixel / scale, pixel / scale, 0) }
                let place = min(max(0, (Double(pixel) + 0.5) / Double(scale) - 0.5), Double(count - 1))
                return (Int(place), min(Int(place) + 1, count - 1), place - place.rounded(.down))
            }
        }
        let across = between(columns)
        for (y, (top, bottom, down)) in between(rows).enumerated() {
            for (x, (left, right, aside)) in across.enumerated() {
                let above = Self.mix(grey[top * columns + left], grey[top * columns + right], aside)
                let below = Self.mix(grey[bottom * columns + left], grey[bottom * columns + right], aside)
                let value = above * (1 - down) + below * down
                pixels[y * width + x] = Color(grey: UInt8(value.rounded()))
            }
        }
    }

    private static func mix(_ a: UInt8, _ b: UInt8, _ share: Double) -> Double {
        Double(a) * (1 - share) + Double(b) * share
    }

    /// The pixel at a place.
    ///
    /// - Precondition: It lies within the picture.
    public subscript(y: Int, x: Int) -> Color {
        get {
            precondition(0..<height ~= y && 0..<width ~= x, "(\(y), \(x)) of \(height) by \(width) pixels")
            return pixels[y * width + x]
        }
        set {
            precondition(0..<height ~= y && 0..<width ~= x, "(\(y), \(x)) of \(height) by \(width) pixels")
            pixels[y * width + x] = newValue
        }
    }

    /// Returns the rows and columns of the picture that lie within bounds, which may be any numbers.
    func clipped(y: ClosedRange<Double>, x: ClosedRange<Double>) -> (rows: Range<Int>, columns: Range<Int>) {
        func clip(_ range: ClosedRange<Double>, _ count: Int) -> Range<Int> {
            let low = Int(min(max(0, range.lowerBound.rounded(.down)), Double(count)))
            let high = Int(min(max(-1, range.upperBound.rounded(.up)), Double(count - 1))) + 1
            return low..<max(low, high)
        }
        return (clip(y, height), clip(x, width))
    }
}
