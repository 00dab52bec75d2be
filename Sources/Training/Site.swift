import Detection
import Network

/// What one site trains: a network and its optimizer's momentum. Without local steps there is one site.
final class Site {
    let index: Int
    var state: NetworkState
    /// Laid out as `NoduleNetwork.parameters`.
    var momentum: [Float]
    /// Sums of the running epoch's log, and the steps they add up: those left out are not among them.
    var epochTerms = LossTerms()
    var epochSteps = 0
    var skippedInARow = 0

    init(index: Int, state: NetworkState, momentum: [Float]) {
        self.index = index
        self.state = state
        self.momentum = momentum
    }
}
