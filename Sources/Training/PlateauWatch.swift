import Basics
import Compute
import Detection

func logit(_ probability: Double) -> Double { Elementary.log(probability / (1 - probability)) }

/// A watch for training that stays where it starts, at a classification loss of ln 2: every cell is given p = 0.5.
struct PlateauWatch {
    private var epochs = 0
    private var isTold = false

    static let patience = (epochs: 3, steps: 300)

    /// Takes note of an epoch.
    ///
    /// - Parameter terms: An epoch's sums over `steps` steps.
    /// - Returns: A warning for the user, once.
    mutating func observe(_ terms: LossTerms, steps: Int) -> String? {
        let classification = terms.classification / Double(max(1, steps))
        epochs = abs(classification - 0.693) < 0.03 ? epochs + 1 : 0
        guard !isTold, epochs >= Self.patience.epochs, epochs * steps >= Self.patience.steps else { return nil }
        isTold = true
        return "the classification loss rests at \((classification * 1000).rounded() / 1000), near ln 2 = 0.693: "
            + "the network gives every cell p = 0.5. This plateau is known to last many epochs from scratch; "
            + "output_prior: 0.01, warmup_steps, or initial_weights from a trained network shorten it"
    }
}
