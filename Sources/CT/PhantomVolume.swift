import Basics

/// Numbers on a grid, [z, y, x], and the filters of a phantom's scanner.
struct PhantomVolume {
    private(set) var values: [Float]
    private(set) var extent: ZYX<Int>

    init(values: [Float], extent: ZYX<Int>) {
        self.values = values
        self.extent = extent
    }

    /// The root of the mean square.
    var deviation: Double {
        (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
    }

    /// Returns the difference to a multiple of another volume.
    func minus(_ other: PhantomVolume, scale: Float) -> PhantomVolume {
        var result = self
        result.add(-scale, times: other)
        return result
    }

    /// Adds a multiple of another volume of the same extent.
    mutating func add(_ scale: Float, times other: PhantomVolume) {
        values.withUnsafeMutableBufferPointer { values in
            other.values.withUnsafeBufferPointer { other in
                for index in 0..<values.count { values[index] += scale * other[index] }
            }
        }
    }

    /// Blurs along an axis (0 is z) with a bell curve whose deviation is given in voxels; the ends' values go on beyond
    /// them.
    mutating func blur(along axis: Int, deviation: Double) {
        let reach = Int((2.7 * deviation).rounded(.up))
        guard deviation > 0.2, extent[axis] > 1 else { return }
        var weights = (0...reach).map { Elementary.exp(-0.5 * Double($0 * $0) / (deviation * deviation)) }
        let sum = 2 * weights.reduce(0, +) - weights[0]
        weights = weights.map { $0 / sum }
        mix(along: axis, weights.map { Float($0) })
    }

    /// Replaces each value by a weighted sum of itself and its neighbours on both sides.
    private mutating func mix(along axis: Int, _ weights: [Float]) {
        let length = extent[axis]
        // Runs of values that lie side by side and have the same neighbours: planes or rows. Rows themselves are mixed
        // in a copy with its ends drawn out.
        let width = axis == 0 ? extent.y * extent.x : axis == 1 ? extent.x : 1
        let reach = weights.count - 1
        let source = values
        var row = [Float](repeating: 0, count: length + 2 * reach)
        source.withUnsafeBufferPointer { source in
            values.withUnsafeMutableBufferPointer { values in
                guard let source = source.baseAddress, let target = values.baseAddress else { return }
                for first in stride(from: 0, to: values.count, by: length * width) {
                    if width == 1 {
                        for place in row.indices { row[place] = source[first + min(length - 1, max(0, place - reach))] }
                        row.withUnsafeBufferPointer { row in
                            guard let middle = row.baseAddress.map({ $0 + reach }) else { return }
                            for offset in 0...reach {
                                Self.add(weights[offset], middle - offset, middle + offset, to: target + first, length)
                            }
                        }
                        continue
                    }
                    for place in 0..<length {
                        for offset in 0...reach {
                            let before = source + (first + max(0, place - offset) * width)
                            let after = source + (first + min(length - 1, place + offset) * width)
                            Self.add(weights[offset], before, after, to: target + (first + place * width), width)
                        }
                    }
                }
            }
        }
    }

    /// Adds the weighted sum of two runs; where they are the same run, it replaces what was there by it.
    @inline(__always)
    private static func add(
        _ weight: Float, _ before: UnsafePointer<Float>, _ after: UnsafePointer<Float>,
        to target: UnsafeMutablePointer<Float>, _ count: Int
    ) {
        if before == after {
            for index in 0..<count { target[index] = weight * before[index] }
        } else {
            for index in 0..<count { target[index] += weight * (before[index] + after[index]) }
        }
    }

    /// Mixes each value with those some steps before and behind it along an axis.
    ///
    /// - Parameter fading: Whether this is full at the axis's start and gone at its end: the diaphragm moves, the apex
    ///   of a lung does not.
    mutating func ghost(along axis: Int, by steps: Int, fading: Bool) {
        let length = extent[axis]
        let width = axis == 0 ? extent.y * extent.x : axis == 1 ? extent.x : 1
        let source = values
        for index in values.indices {
            let place = index / width % length
            let share: Float = fading ? 0.6 * (1 - Float(place) / Float(length)) : 0.6
            let before = source[index + (max(0, place - steps) - place) * width]
            let after = source[index + (min(length - 1, place + steps) - place) * width]
            values[index] += share * (0.5 * (before + after) - values[index])
        }
    }

    /// Keeps the first of every few slices.
    mutating func keepEvery(_ step: Int) {
        guard step > 1 else { return }
        let plane = extent.y * extent.x
        let kept = extent.z / step
        values = (0..<kept).flatMap { values[$0 * step * plane..<($0 * step + 1) * plane] }
        extent.z = kept
    }
}
