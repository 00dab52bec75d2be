import Compute

/// The habits that the layers of one network share: what its authors chose once for all of them.
struct Conventions: Sendable {
    /// The distributions that weights of convolutions are drawn from.
    enum Distribution: Sendable {
        /// Uniform in ±1/√fan_in, as PyTorch does by itself.
        case uniform
        /// Normal with deviation √(2/fan_in) (K. He et al., "Delving Deep into Rectifiers", ICCV 2015).
        case normal
    }

    /// The names of a convolution and of the normalisation behind it, within their block.
    struct Pair: Sendable {
        let convolution: String
        let normalization: String
    }

    /// The distribution of new weights.
    let weights: Distribution
    /// Whether convolutions have biases where a normalisation follows, too. (One over the batch takes them off again.)
    let hasNormalizedBiases: Bool
    /// The numbers that each normalisation takes together.
    var normalization = NormalizationScope.batch
    /// The layers of a block that has one convolution.
    let alone: Pair
    /// The layers of a residual block: its branch's two convolutions, and the one of its shortcut.
    let first: Pair
    let second: Pair
    let shortcut: Pair
    /// The name, within a stage, that the blocks' numbers follow.
    let list: String

    /// The habits of `nn.Sequential` and of PyTorch's own initialisation.
    static let plain = Conventions(
        weights: .uniform, hasNormalizedBiases: true, alone: Pair(convolution: "0", normalization: "1"),
        first: Pair(convolution: "conv1", normalization: "bn1"),
        second: Pair(convolution: "conv2", normalization: "bn2"),
        shortcut: Pair(convolution: "shortcut.0", normalization: "shortcut.1"), list: "")

    /// Modules of a convolution and its normalisation, without biases where a normalisation follows.
    static let modules = Conventions(
        weights: .normal, hasNormalizedBiases: false, alone: Pair(convolution: "conv", normalization: "norm"),
        first: Pair(convolution: "conv1.conv", normalization: "conv1.norm"),
        second: Pair(convolution: "conv2.conv", normalization: "conv2.norm"),
        shortcut: Pair(convolution: "res.conv", normalization: "res.norm"), list: "conv.")

    /// These habits with normalisation over another scope.
    func normalizing(over scope: NormalizationScope) -> Conventions {
        var conventions = self
        conventions.normalization = scope
        return conventions
    }
}
