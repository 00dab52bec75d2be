import Basics
import Compute

/// The context that the layers of one forward and backward pass share: the engine, the parameters read, the gradients
/// written.
struct Pass {
    let engine: Engine
    let parameters: UnsafePointer<Float>
    /// The running statistics, if the network has any.
    let statistics: UnsafePointer<Float>?
    /// Whether it is a training step's; in evaluation mode layers normalise with running statistics, if they have any,
    /// keep nothing for a backward pass and work in place.
    let isTraining: Bool
    /// The place for the batch's statistics in a training forward pass, where the network has any.
    var batchStatistics: UnsafeMutablePointer<Float>?
    /// The place for the parameters' gradients in a backward pass.
    var gradients: UnsafeMutablePointer<Float>?
    /// The positions of the crop's cells in the scan, [N, 3, d, h, w]; nil in a backward pass.
    var coord: Tensor?
    /// The dropout of a training forward pass; nil for none.
    var dropout: Dropout?
    /// A function that a backward pass tells which parameters' gradients are final.
    var finished: ((Range<Int>) -> Void)?

    /// The `count` values of the parameter at `offset`.
    func parameter(_ offset: Int, _ count: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: parameters + offset, count: count)
    }

    /// The place for the gradient of the parameter at `offset`, of `count` values.
    func gradient(_ offset: Int, _ count: Int) -> UnsafeMutableBufferPointer<Float> {
        guard let gradients else { preconditionFailure("a backward pass needs a place for the gradients") }
        return UnsafeMutableBufferPointer(start: gradients + offset, count: count)
    }
}

/// Dropout of whole channels.
struct Dropout {
    let probability: Double
    let generator: CounterGenerator

    /// The factors of the samples' channels, [N, C].
    func factors(samples: Int, channels: Int) -> [Float] {
        var generator = generator
        let kept = Float(1 / (1 - probability))
        return (0..<samples * channels).map { _ in generator.uniform() < probability ? 0 : kept }
    }
}
