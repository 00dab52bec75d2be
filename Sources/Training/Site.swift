import Detection
import Learning
import Networks

/// What one site trains: a network and its optimiser's state. Without local steps there is one site.
final class Site {
    let index: Int
    var state: NetworkState
    var optimizer: OptimizerState
    /// Sums of the running epoch's log, and the steps they add up: those left out are not among them.
    var epochTerms = LossTerms()
    var epochSteps = 0
    var skippedInARow = 0

    init(index: Int, state: NetworkState, optimizer: OptimizerState) {
        self.index = index
        self.state = state
        self.optimizer = optimizer
    }
}
