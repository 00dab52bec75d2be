import Basics
import Compute
import Detection
import Networks

/// The input of one replica's step: crops, where their cells lie in the scan, and the recipe's labels.
public struct TrainingBatch: Sendable {
    /// The voxels [N, 1, D, H, W] as (grey level − 128)/128.
    public var input: Tensor
    /// The cells' places in the scan, [N, 3, d, h, w].
    public var coord: Tensor
    /// The recipe's labels, [N, d, h, w, anchors, components].
    public var labels: Tensor

    /// Creates a batch of its three tensors.
    public init(input: Tensor, coord: Tensor, labels: Tensor) {
        self.input = input
        self.coord = coord
        self.labels = labels
    }
}

/// The way a network learns: a replica's gradient, and the update that follows from the sum over replicas.
///
/// A replica's contribution to a step is one vector: the gradients of all parameters, the batch's statistics, the terms
/// of the loss. Training adds up the vectors of all replicas and hands the sum to `update`.
public struct Learner {
    /// The network that computes.
    public let network: Network
    /// The recipe, which says what the network's output means.
    public let recipe: any Recipe
    /// The optimiser, which turns a gradient into an update.
    public let optimizer: any Optimizer
    /// The norm that longer gradients are scaled down to, if any.
    public let clipNorm: Double?
    /// The probability with which a channel is dropped before the head.
    public let dropout: Double

    /// The parts of a replica's work, for those who watch or time it.
    public enum Part: Sendable {
        /// The network computes its output.
        case forward
        /// The loss and its gradient are computed.
        case loss
        /// The network computes the gradients of its parameters.
        case backward
    }

    /// Creates a learner of its parts.
    public init(
        network: Network, recipe: any Recipe, optimizer: any Optimizer, dropout: Double, clipNorm: Double? = nil
    ) {
        self.clipNorm = clipNorm
        self.network = network
        self.recipe = recipe
        self.optimizer = optimizer
        self.dropout = dropout
    }

    /// The layout of a replica's vector.
    public struct Layout: Hashable, Sendable {
        /// The range of the parameters' gradients.
        public let gradients: Range<Int>
        /// The range of the batch's means and variances.
        public let statistics: Range<Int>
        /// The range of the loss's terms.
        public let terms: Range<Int>

        /// The layout for a network.
        public init(_ architecture: Architecture) {
            gradients = 0..<architecture.parameters.count
            statistics = gradients.upperBound..<gradients.upperBound + architecture.statistics.count
            terms = statistics.upperBound..<statistics.upperBound + LossTerms.vectorCount
        }

        /// The length of the vector.
        public var count: Int { terms.upperBound }
    }

    /// The layout of this network's vectors.
    public var layout: Layout { Layout(network.architecture) }

    /// Writes a replica's vector.
    ///
    /// - Parameters:
    ///   - batch: The replica's crops.
    ///   - state: The network's parameters and running statistics.
    ///   - normalizers: The counts of the whole step, from `Recipe.counts`.
    ///   - generator: Draws the channels that are dropped.
    ///   - vector: Receives the gradients, the statistics and the terms; `layout.count` numbers.
    ///   - finished: Told of the ranges of the vector that are final: first what follows the gradients, then the
    ///     gradients in the architecture's `backwardOrder`.
    ///   - entering: Told of each part of the work before it begins.
    /// - Returns: The network's output and the terms of the loss.
    @discardableResult
    public func writeReplica(
        _ batch: TrainingBatch, state: NetworkState, normalizers: LossCounts, generator: CounterGenerator,
        into vector: UnsafeMutableBufferPointer<Float>, finished: @escaping (Range<Int>) -> Void = { _ in },
        entering: (Part) -> Void = { _ in }
    ) -> (output: Tensor, terms: LossTerms) {
        let layout = layout
        precondition(vector.count == layout.count, "a vector of \(vector.count) numbers, not \(layout.count)")
        entering(.forward)
        let output = network.forward(
            state, input: batch.input, coord: batch.coord, mode: .training(dropout: dropout, generator: generator))
        entering(.loss)
        let (terms, gradient) = recipe.loss(
            output: output, labels: batch.labels, mode: .training, normalizers: normalizers)
        for (index, value) in zip(layout.statistics, network.batchStatistics) { vector[index] = value }
        for (index, value) in zip(layout.terms, terms.vector) { vector[index] = Float(value) }
        finished(layout.gradients.upperBound..<vector.count)
        entering(.backward)
        network.backward(
            state, outputGradient: gradient,
            gradients: UnsafeMutableBufferPointer(rebasing: vector[layout.gradients]), finished: finished)
        return (output, terms)
    }

    /// The Euclidean norm of the gradient in a sum over replicas; not finite where any number of the sum is not.
    public func gradientNorm(_ sum: UnsafeMutableBufferPointer<Float>) -> Double {
        let layout = layout
        var total = 0.0
        for index in layout.gradients { total += Double(sum[index]) * Double(sum[index]) }
        for index in layout.statistics.lowerBound..<sum.count where !sum[index].isFinite { return .nan }
        return total.squareRoot()
    }

    /// Changes the state by the sum over replicas: the parameters by the optimiser, the running statistics by the mean
    /// of the replicas' batch statistics.
    ///
    /// - Parameters:
    ///   - state: The network's parameters and running statistics.
    ///   - optimizerState: The optimiser's state.
    ///   - sum: The sum of all replicas' vectors.
    ///   - replicas: The number of replicas in the sum.
    ///   - gradientNorm: The gradient's norm where it is known, as `gradientNorm(_:)` computes it.
    ///   - learningRate: The step's learning rate.
    public func update(
        _ state: inout NetworkState, _ optimizerState: inout OptimizerState,
        sum: UnsafeMutableBufferPointer<Float>, gradientNorm: Double? = nil, replicas: Int, learningRate: Double
    ) {
        let layout = layout
        if let clipNorm {
            let norm = gradientNorm ?? self.gradientNorm(sum)
            if norm > clipNorm {
                let factor = Float(clipNorm / norm)
                for index in layout.gradients { sum[index] *= factor }
            }
        }
        optimizer.update(
            &state.parameters, &optimizerState,
            gradients: UnsafeBufferPointer(rebasing: sum[layout.gradients]), tensors: network.architecture.parameters,
            learningRate: learningRate, engine: network.engine)
        let share = 1 / Float(replicas)
        let kept = network.architecture.statisticsMomentum
        for (index, place) in zip(state.statistics.indices, layout.statistics) {
            let mean = sum[place] * share
            state.statistics[index] = (1 - kept) * state.statistics[index] + kept * mean
        }
    }

    /// The loss terms in a sum over replicas.
    public func terms(_ sum: UnsafeMutableBufferPointer<Float>) -> LossTerms {
        LossTerms(vector: sum[layout.terms].map(Double.init))
    }
}
