// The parts of learning that a configuration names: initial weights, recipe, optimiser, and the learner made of them.

import Detection
import FileIO
import Learning
import Networks

extension TrainingConfiguration {
    /// The weights that a run starts from: those of `initial_weights`, or new ones that the seed determines.
    ///
    /// - Throws: `InputError` where the file of `initial_weights` is not as expected.
    public func initialState() throws -> NetworkState {
        guard let path = initialWeights else {
            return network.initialState(
                seed: UInt64(bitPattern: Int64(seed)), zeroInitResidual: zeroInitResidual,
                logitBias: outputPrior.map { Float(logit($0)) })
        }
        let state = try WeightsFile.read(path)
        guard state.architecture == network else {
            throw InputError(
                path, "holds weights of \(state.architecture.name), the configuration's network is \(network.name)",
                remedy: "name other initial_weights, or set network to \(state.architecture.name)")
        }
        return state
    }

    /// Creates the recipe, which makes labels, loss and boxes.
    public func makeRecipe() -> any Recipe {
        recipe.recipe(anchors: preset.anchors, regressionWeight: regressionWeight)
    }

    /// Creates the optimiser, which updates the parameters.
    public func makeOptimizer() -> any Optimizer {
        var constants = OptimizerConstants()
        constants.momentum = momentum
        constants.weightDecay = weightDecay
        constants.beta1 = adamBeta1
        constants.beta2 = adamBeta2
        constants.epsilon = adamEpsilon
        return optimizer.optimizer(constants)
    }

    /// Creates the learner, which trains on one replica.
    public func makeLearner(_ network: Network) -> Learner {
        Learner(
            network: network, recipe: makeRecipe(), optimizer: makeOptimizer(), dropout: dropout, clipNorm: gradientClip
        )
    }
}
