import Basics
import Exchange
import FileIO
import Learning
import MPI
import Networks
import Training

/// The gradient's reduction over all ranks, timed.
struct ReductionMeasurement {
    /// The size in bytes of the vector that each rank contributes.
    let bytes: Int
    /// The time of one reduction in s, the median.
    let seconds: Double
    /// A digest of the sum's bits.
    let digest: Digest

    /// - Parameters:
    ///   - architecture: The network whose gradients are summed.
    ///   - replicas: Of the whole job.
    ///   - steps: Repetitions, at least 1.
    /// - Throws: `UsageError` where the ranks do not fit the replicas; `MPIError`.
    init(
        _ architecture: Architecture, mode: ReductionMode, replicas: Int, steps: Int,
        communicator: any Communicator
    ) throws {
        let count = Learner.Layout(architecture).count
        let reduction = try GradientReduction(
            mode: mode, replicas: replicas, count: count, communicator: communicator)
        var times: [Double] = []
        var digest = Digest()
        for step in 0..<steps {
            for replica in reduction.replicas {
                reduction.add { vector in
                    for index in 0..<count { vector[index] = 1 / Float(1 + (index + 7919 * replica) % 1009) }
                }
            }
            try communicator.barrier()
            var sum: UnsafeMutableBufferPointer<Float>?
            times.append(try Measurement.seconds { sum = try reduction.finish() })
            if step == 0, let sum { digest.add(Array(sum)) }
        }
        bytes = 4 * count
        seconds = times.median ?? .nan
        self.digest = digest
    }
}
