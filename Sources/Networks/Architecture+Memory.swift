import Basics
import Compute

extension Architecture {
    /// The bytes that the engine takes for an evaluation of one map [D, H, W], activations and scratch memory.
    ///
    /// The formula is an upper bound fitted to `Engine.plannedBytes` of `nodule-net` from 96 to 304 voxels a side. Maps
    /// at half resolution count per voxel, the slabs of `EntryBlock` per pixel of a plane.
    ///
    /// - Parameter extent: The input's extent in voxels.
    public func evaluationBytes(_ extent: ZYX<Int>) -> Int {
        (16 << 20) + 47 * extent.z * extent.y * extent.x + 700 * extent.y * extent.x
    }

    /// The bytes that the engine takes for a training step, activations and scratch memory.
    ///
    /// The formula is an upper bound fitted to `Engine.plannedBytes` of `nodule-net` for crops of 32 to 128 voxels a
    /// side and 1 to 8 samples.
    ///
    /// - Parameters:
    ///   - extent: A crop's extent in voxels.
    ///   - samples: The number of crops.
    ///   - threads: The number of threads; each has scratch memory of its own.
    public func trainingBytes(_ extent: ZYX<Int>, samples: Int, threads: Int) -> Int {
        (28 << 20) + (3 << 19) * threads + 345 * samples * extent.product
    }
}
