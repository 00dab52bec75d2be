// Local steps: every site trains by itself for a round of H steps; then one update of the network that all share
// follows what the sites have learnt. Nothing else crosses between sites: 1/H of what synchronous steps send.
//
//     Δ = mean over sites of (θ - θ_site)         the round's outcome as a gradient
//     v ← μ v + Δ,   θ ← θ - η (Δ + μ v)          Nesterov's momentum, as PyTorch's SGD has it
//     θ_site ← θ                                  the sites' own momentum stays theirs
//
// A. Douillard et al., "DiLoCo: Distributed Low-Communication Training of Language Models" (2023), with SGD in the
// sites in place of AdamW. Running statistics of batch normalisation become their mean over the sites.
//
// The mean follows the tree over sites, so that the bits do not depend on the ranks. Where a site spans several ranks,
// each carries one slice of the vector to its fellows in the other sites, and within the site the slices are shared.

import Exchange
import Learning
import MPI
import Networks

/// The network that all sites share, and its optimiser.
final class OuterUpdate {
    /// The shared network at the beginning of the round.
    private(set) var state: NetworkState
    /// The state of the outer optimiser, whose only slot is the momentum.
    private(set) var optimizer: OptimizerState
    private let learningRate: Float
    private let momentumFactor: Float
    private let sites: Int
    private let within: any Communicator
    /// The slice of each place within a site.
    private let slices: [Range<Int>]
    private let slice: Range<Int>
    private let reduction: GradientReduction
    /// The mean of what the sites have learnt, laid out as the parameters.
    private let mean: VectorStorage

    /// The slots of the outer optimiser's state.
    static let slots = ["momentum"]

    /// The outer optimiser's state before the first round.
    static func makeState(_ architecture: Architecture) -> OptimizerState {
        OptimizerState(names: slots, slots: [[Float](repeating: 0, count: architecture.parameters.count)])
    }

    /// The outcome of a round.
    struct Outcome {
        /// The Euclidean norm of the mean Δ.
        var meanNorm: Double
        /// The root mean square of the norms of the sites' own Δ: equal to `meanNorm` where all sites went the same
        /// way, and √sites times as much where each went its own.
        var siteNorm: Double
    }

    /// Prepares the exchange, with a copy of the shared network. Collective.
    ///
    /// - Parameters:
    ///   - within: The ranks of this rank's site.
    ///   - across: The ranks of its place in all sites; or all ranks, where each has sites of its own.
    /// - Throws: `UsageError`, `MPIError`.
    init(
        _ configuration: TrainingConfiguration, state: NetworkState, optimizer: OptimizerState,
        within: any Communicator,
        across: any Communicator
    ) throws {
        self.state = state
        self.optimizer = optimizer
        learningRate = Float(configuration.outerLearningRate)
        momentumFactor = Float(configuration.outerMomentum)
        sites = configuration.sites
        self.within = within
        let count = state.parameters.count
        slices = (0..<within.size).map {
            GradientBuckets.slice(of: 0..<count, rank: $0, ranks: within.size)
        }
        slice = slices[within.rank]
        mean = VectorStorage(count)
        reduction = try GradientReduction(
            mode: .tree, replicas: sites, count: slice.count + state.statistics.count + 1, communicator: across,
            exchange: configuration.gradientExchange, gradients: slice.count)
        try reduction.connect(.off)
    }

    /// Bytes that a site sends in a round, without those of protocols; it receives as many.
    static func exchangedBytes(_ configuration: TrainingConfiguration) -> Int {
        2 * (configuration.sites - 1) * configuration.reducedBytes / configuration.sites
    }

    /// Ends a round: updates the shared network and begins the next round with it. Collective.
    ///
    /// - Parameter sites: The sites of this rank, in order.
    /// - Throws: `MPIError`.
    func apply(to sites: [Site]) throws(MPIError) -> Outcome {
        for site in sites { reduction.add { write(site, to: $0) } }
        let sum = try reduction.finish()
        // A power of two: exact.
        let share = 1 / Float(self.sites)
        for index in slice { mean.buffer[index] = sum[index - slice.lowerBound] * share }
        for index in state.statistics.indices { state.statistics[index] = sum[slice.count + index] * share }
        let meanSquare = Double(sum[slice.count + state.statistics.count] * share)
        try within.share(mean.buffer, parts: slices)
        let norm = descend()
        for site in sites { site.begin(with: state) }
        return Outcome(meanNorm: norm, siteNorm: meanSquare.squareRoot())
    }

    /// A site's part of the sum: its slice of θ - θ_site, its statistics, and |θ - θ_site|².
    private func write(_ site: Site, to vector: UnsafeMutableBufferPointer<Float>) {
        var squares = 0.0
        state.parameters.withUnsafeBufferPointer { shared in
            site.state.parameters.withUnsafeBufferPointer { own in
                for index in slice { vector[index - slice.lowerBound] = shared[index] - own[index] }
                for index in shared.indices {
                    let difference = Double(shared[index]) - Double(own[index])
                    squares += difference * difference
                }
            }
        }
        for (index, value) in site.state.statistics.enumerated() { vector[slice.count + index] = value }
        vector[slice.count + site.state.statistics.count] = Float(squares)
    }

    /// Updates the shared network, and returns the norm of the mean.
    private func descend() -> Double {
        let (mean, rate, factor) = (mean.buffer, learningRate, momentumFactor)
        var squares = 0.0
        state.parameters.withUnsafeMutableBufferPointer { parameters in
            optimizer.slots[0].withUnsafeMutableBufferPointer { momentum in
                for index in mean.indices {
                    let gradient = mean[index]
                    let velocity = factor * momentum[index] + gradient
                    momentum[index] = velocity
                    parameters[index] -= rate * (gradient + factor * velocity)
                    squares += Double(gradient) * Double(gradient)
                }
            }
        }
        optimizer.updates += 1
        return squares.squareRoot()
    }
}

extension Site {
    /// Copies a network into its own memory.
    fileprivate func begin(with shared: NetworkState) {
        _ = state.parameters.withUnsafeMutableBufferPointer { $0.update(fromContentsOf: shared.parameters) }
        _ = state.statistics.withUnsafeMutableBufferPointer { $0.update(fromContentsOf: shared.statistics) }
    }
}
