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
        guard deviation > 0.2 else { return }
        var weights = (0...reach).map { Elementary.exp(-0.5 * Double($0 * $0) / (deviation * deviation)) }
        let sum = 2 * weights.reduce(0, +) - weights[0]
        weights = weights.map { $0 / sum }
        mix(along: axis, weights.map { Float($0) })
    }

    /// Replaces each value by a weighted sum of itself and its neighbours on both sides.
    private mutating func mix(along axis: Int, _ weights: [Float]) {
        let length = extent[axis]
        // Runs of values that lie side by side and have the same neighbours: rows, planes, or single voxels.
        let width = axis == 0 ? extent.y * extent.x : axis == 1 ? extent.x : 1
        let source = values
        let reach = weights.count - 1
        source.withUnsafeBufferPointer { source in
            values.withUnsafeMutableBufferPointer { values in
                for line in 0..<source.count / (length * width) {
                    let first = line * length * width
                    if width == 1 {
                        Self.mixRow(source, &values, first: first, length: length, weights)
                        continue
                    }
                    for place in 0..<length {
                        let target = first + place * width
                        for column in 0..<width { values[target + column] *= weights[0] }
                        for offset in 1..<max(1, reach + 1) {
                            let before = first + max(0, place - offset) * width
                            let after = first + min(length - 1, place + offset) * width
                            let weight = weights[offset]
                            for column in 0..<width {
                                values[target + column] += weight * (source[before + column] + source[after + column])
                            }
                        }
                    }
                }
            }
        }
    }

    private static func mixRow(
        _ source: UnsafeBufferPointer<Float>, _ values: inout UnsafeMutableBufferPointer<Float>, first: Int,
        length: Int, _ weights: [Float]
    ) {
        let reach = weights.count - 1
        for place in 0..<length { values[first + place] *= weights[0] }
        for offset in 1..<max(1, reach + 1) {
            let weight = weights[offset]
            let inner = min(offset, length)..<max(min(offset, length), length - offset)
            for place in inner {
                values[first + place] += weight * (source[first + place - offset] + source[first + place + offset])
            }
            for place in 0..<length where !inner.contains(place) {
                values[first + place] +=
                    weight * (source[first + max(0, place - offset)] + source[first + min(length - 1, place + offset)])
            }
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
