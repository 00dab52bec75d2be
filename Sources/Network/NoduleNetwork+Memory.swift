import Basics

extension NoduleNetwork {
    /// About how many bytes the engine takes for a training step, activations and scratch memory: an upper bound fitted
    /// to `Engine.plannedBytes` for crops of 32 to 128 voxels a side and 1 to 8 samples.
    ///
    /// - Parameters:
    ///   - extent: Of one sample, voxels.
    ///   - samples: Of the batch.
    ///   - threads: Each has scratch memory of its own.
    public static func trainingBytes(_ extent: ZYX<Int>, samples: Int, threads: Int) -> Int {
        (28 << 20) + (3 << 19) * threads + 345 * samples * extent.product
    }
}
