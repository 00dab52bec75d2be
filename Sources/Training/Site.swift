import Detection
import Learning
import Networks

/// A network and its optimiser's state, which one site trains. Without local steps there is one site.
final class Site {
    let index: Int
    var state: NetworkState
    var optimizer: OptimizerState
    /// The running epoch's sums of loss terms, without steps that were left out.
    var epochTerms = LossTerms()
    /// The number of steps in these sums.
    var epochSteps = 0
    var skippedInARow = 0

    init(index: Int, state: NetworkState, optimizer: OptimizerState) {
        self.index = index
        self.state = state
        self.optimizer = optimizer
    }
}
