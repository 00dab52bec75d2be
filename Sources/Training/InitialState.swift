import Detection
import FileIO
import Network

extension TrainingConfiguration {
    /// The weights that a run starts from: those of `initial_weights`, or new ones that the seed determines.
    ///
    /// - Throws: `InputError` where the file of `initial_weights` is not as expected.
    public func initialState() throws -> NetworkState {
        if let path = initialWeights { return try WeightsFile.read(path) }
        var state = NoduleNetwork.initialState(
            seed: UInt64(bitPattern: Int64(seed)), zeroInitResidual: zeroInitResidual)
        if let prior = outputPrior, let bias = NoduleNetwork.parameters["output.2.bias"] {
            for anchor in 0..<NoduleNetwork.anchors {
                state.parameters[bias.range.lowerBound + anchor * NoduleNetwork.components] = Float(logit(prior))
            }
        }
        return state
    }
}
