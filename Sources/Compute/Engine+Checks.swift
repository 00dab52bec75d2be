// The checks of every call before its kernels run. The kernels check nothing themselves: a wrong width would read
// stale memory, or write past a row.

import Basics

extension FeatureMap {
    /// Stops where the channels do not fill vectors of 8.
    func requireVectors(_ name: String) {
        precondition(channels % 8 == 0, "\(name) has \(channels) channels, which is no multiple of 8")
    }

    /// Stops where the voxels of a channel-by-channel kernel do not follow each other without a gap.
    func requireDense(_ name: String) {
        precondition(stride == channels, "\(name) has \(channels) channels of \(stride) floats, and must be dense")
    }

    /// Stops where samples and voxels are not those of `other`.
    func requireVoxels(of other: FeatureMap, _ name: String) {
        precondition(
            samples == other.samples && extent == other.extent,
            "\(name) has \(samples) x \(extent) voxels beside \(other.samples) x \(other.extent)")
    }

    /// Stops where samples, voxels or channels are not those of `other`.
    func requireShape(of other: FeatureMap, _ name: String) {
        requireVoxels(of: other, name)
        precondition(channels == other.channels, "\(name) has \(channels) channels beside \(other.channels)")
    }
}

/// Stops where there are fewer or more values than a layer has.
func requireCount(_ count: Int, _ expected: Int, _ name: String) {
    precondition(count == expected, "\(count) \(name), not \(expected)")
}

/// Stops where weights are for more input channels than a map has.
func requireInputs(_ inputs: Int, of x: FeatureMap) {
    precondition(0 < inputs && inputs <= x.channels, "weights for \(inputs) channels, the map has \(x.channels)")
}

extension UnsafeBufferPointer<Float> {
    /// The first of the values that a check has counted.
    var start: UnsafePointer<Float> { baseAddress.unsafelyUnwrapped }
}

extension UnsafeMutableBufferPointer<Float> {
    /// The first of the values that a check has counted.
    var start: UnsafeMutablePointer<Float> { baseAddress.unsafelyUnwrapped }
}
