import Basics
import FileIO

extension Volume {
    /// Permutes and reverses the axes so that indices grow with the world's (or against them, where `direction` has
    /// −1); every voxel keeps its place in the world.
    ///
    /// - Throws: `InputError` where an axis is tilted by more than 0.1 degrees against the nearest of the world's.
    /// - Complexity: O(voxels), once through memory.
    public func reoriented(to direction: ZYX<Int> = ZYX(1, 1, 1)) throws -> Volume {
        let order = try geometry.axisOrder(source: source)
        let target = geometry.reoriented(order, to: direction)
        let strides = ZYX(extent.y * extent.x, extent.x, 1)
        var start = 0
        var steps = ZYX(0, 0, 0)
        for worldAxis in 0..<3 {
            let axis = order.axis[worldAxis]
            let isForward = order.sign[worldAxis] == direction[worldAxis]
            steps[worldAxis] = isForward ? strides[axis] : -strides[axis]
            if !isForward { start += (extent[axis] - 1) * strides[axis] }
        }
        if start == 0 && steps == strides { return self }
        let result = Array<Voxel>(unsafeUninitializedCapacity: voxels.count) { output, count in
            voxels.withUnsafeBufferPointer { input in
                if abs(steps.x) == 1 {
                    Self.copyRows(of: input, from: start, steps, into: output, target.extent)
                } else {
                    Self.copyTiles(of: input, from: start, steps, into: output, target.extent)
                }
            }
            count = voxels.count
        }
        return Volume(geometry: target, voxels: result, source: source)
    }

    /// Copies voxels where rows stay rows.
    private static func copyRows(
        of input: UnsafeBufferPointer<Voxel>, from start: Int, _ steps: ZYX<Int>,
        into output: UnsafeMutableBufferPointer<Voxel>, _ extent: ZYX<Int>
    ) {
        for z in 0..<extent.z {
            for y in 0..<extent.y {
                let source = start + z * steps.z + y * steps.y
                let row = (z * extent.y + y) * extent.x
                for x in 0..<extent.x { output.initializeElement(at: row + x, to: input[source + x * steps.x]) }
            }
        }
    }

    /// Copies voxels where rows become columns: in tiles that stay in the cache, as each row of the output goes across
    /// the input's.
    private static func copyTiles(
        of input: UnsafeBufferPointer<Voxel>, from start: Int, _ steps: ZYX<Int>,
        into output: UnsafeMutableBufferPointer<Voxel>, _ extent: ZYX<Int>
    ) {
        let side = 32
        // The output's axis along which the input is contiguous, and the one that is left.
        let along = abs(steps.y) == 1 ? 1 : 0
        let other = 1 - along
        let strides = ZYX(extent.y * extent.x, extent.x, 1)
        for slice in 0..<extent[other] {
            for tile in stride(from: 0, to: extent[along], by: side) {
                for tileX in stride(from: 0, to: extent.x, by: side) {
                    for index in tile..<min(tile + side, extent[along]) {
                        let source = start + slice * steps[other] + index * steps[along]
                        let row = slice * strides[other] + index * strides[along]
                        for x in tileX..<min(tileX + side, extent.x) {
                            output.initializeElement(at: row + x, to: input[source + x * steps.x])
                        }
                    }
                }
            }
        }
    }
}
