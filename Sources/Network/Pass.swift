import Compute

/// What the layers of one forward and backward pass share: the engine, the parameters read, the gradients written.
struct Pass {
    let engine: Engine
    let parameters: UnsafePointer<Float>
    let statistics: UnsafePointer<Float>
    /// Receives the batch's statistics in a training forward pass; nil in evaluation mode, where layers normalise with
    /// the running statistics, keep nothing for a backward pass and work in place.
    let batchStatistics: UnsafeMutablePointer<Float>?
    /// Receives the parameters' gradients in a backward pass.
    let gradients: UnsafeMutablePointer<Float>?
    /// Told in a backward pass which parameters' gradients are final.
    var finished: ((Range<Int>) -> Void)?

    var isTraining: Bool { batchStatistics != nil }

    /// The place for the gradient of the parameter at `offset`.
    func gradient(_ offset: Int) -> UnsafeMutablePointer<Float> {
        guard let gradients else { preconditionFailure("a backward pass needs a place for the gradients") }
        return gradients + offset
    }
}

/// Collects the parameters as layers declare them, in PyTorch's order.
struct Declarations {
    var parameters = ParameterTable()
    var statistics = ParameterTable()

    /// Declares a parameter and returns its offset.
    mutating func parameter(_ name: String, _ shape: [Int]) -> Int {
        parameters.append(name, shape)
        return parameters.entries[parameters.entries.count - 1].range.lowerBound
    }

    mutating func statistic(_ name: String, _ channels: Int) -> Int {
        statistics.append(name, [channels])
        return statistics.entries[statistics.entries.count - 1].range.lowerBound
    }
}
