// Outputs that do not fill vectors of 8, such as the one channel of a logit, are computed beside channels of zeros.

extension Engine {
    /// The multiple of 8 that holds so many channels.
    func filledUp(_ channels: Int) -> Int { (channels + 7) / 8 * 8 }

    /// Values of some outputs, and zeros for those that fill them up.
    func filledUp(_ values: UnsafeBufferPointer<Float>, _ outputs: Int) -> FloatBuffer {
        let result = workspace.take(values.count / outputs * filledUp(outputs))
        result.pointer.update(from: values.start, count: values.count)
        (result.pointer + values.count).update(repeating: 0, count: result.count - values.count)
        return result
    }

    /// A map with channels of zeros behind its own.
    func filledUp(_ map: FeatureMap) -> FeatureMap {
        let wide = self.map(like: map, channels: filledUp(map.channels))
        overVoxels(0..<map.voxels) { first, count in
            for voxel in first..<first + count {
                let target = wide.pointer + voxel * wide.stride
                target.update(from: map.pointer + voxel * map.stride, count: map.channels)
                (target + map.channels).update(repeating: 0, count: wide.channels - map.channels)
            }
        }
        return wide
    }
}

extension FloatBuffer {
    /// The buffer's values, to be read while it lives.
    var read: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: pointer, count: count) }
    /// The buffer's values, to be written while it lives.
    var write: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }
}
