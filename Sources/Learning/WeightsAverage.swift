import Compute
import Networks

/// A running mean of a network's parameters and running statistics over the steps of a training (B. Polyak and
/// A. Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992).
///
/// After each step every number moves the fraction 1 − d towards the network's. Early on, when there is little to
/// remember, d is (1 + t)/(10 + t) after t steps, as long as that is less than the decay that was asked for.
public struct WeightsAverage: Hashable, Sendable {
    /// The mean, as a state that a network can compute with.
    public var state: NetworkState
    /// The number of steps that the mean has followed.
    public var updates: Int

    /// Creates the mean of a training that begins with a state.
    public init(_ state: NetworkState, updates: Int = 0) {
        self.state = state
        self.updates = updates
    }

    /// Follows a step.
    ///
    /// - Parameters:
    ///   - current: The network after the step.
    ///   - decay: The part of the mean that stays, 0 … 1.
    ///   - engine: Does the arithmetic.
    public mutating func follow(_ current: NetworkState, decay: Double, engine: Engine) {
        let steps = Double(updates)
        let share = Float(1 - min(decay, (1 + steps) / (10 + steps)))
        engine.approach(&state.parameters, current.parameters, share: share)
        engine.approach(&state.statistics, current.statistics, share: share)
        updates += 1
    }
}
