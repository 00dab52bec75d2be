import Compute

extension Architecture {
    /// A 3-D U-Net of residual blocks with coordinates, the network that won the 2017 Data Science Bowl (F. Liao et
    /// al., "Evaluate the Malignancy of Pulmonary Nodules Using the 3-D Deep Leaky Noisy-OR Network", IEEE TNNLS 2019).
    public static let noduleNet = noduleNetwork("nodule-net", normalizing: .batch)

    /// The network `noduleNet` with group normalisation instead of batch normalisation, in groups of 8 channels.
    public static let noduleNetGN = noduleNetwork("nodule-net-gn", normalizing: .group(channels: 8))

    private static func noduleNetwork(_ name: String, normalizing scope: NormalizationScope) -> Architecture {
        Architecture(
            name, anchors: 3, components: 5, outputFormula: boxesOfAnchors,
            conventions: .plain.normalizing(over: scope), build: buildNoduleNetwork)
    }

    @Sendable private static func buildNoduleNetwork(_ network: NetworkGraph) {
        let d = network.declarations
        // One line per block, in the order of PyTorch's `state_dict`; on the right, the resolution.
        let preBlock = EntryBlock("preBlock", d)  //                              1 → 24              1 → 1/2
        let forw1 = Stage("forw1", 24, 32, blocks: 2, keepsOutput: false, d)  //                          1/2
        let forw2 = Stage("forw2", 32, 64, blocks: 2, keepsOutput: false, d)  //                          1/4
        let forw3 = Stage("forw3", 64, 64, blocks: 3, d)  //                                              1/8
        let forw4 = Stage("forw4", 64, 64, blocks: 3, d)  //                                             1/16
        let back2 = Stage("back2", 131, 128, blocks: 3, d)  //  64 + 64 + 3 coordinates → 128             1/4
        let back3 = Stage("back3", 128, 64, blocks: 3, d)  //                   64 + 64 → 64              1/8
        let path1 = UpwardBlock("path1", 64, 64, d)  //                                            1/16 → 1/8
        let path2 = UpwardBlock("path2", 64, 64, d)  //                                             1/8 → 1/4
        let output = Head("output", 128, 64, anchors: 3, components: 5, d)  //   128 → 64 → 15            1/4

        let half = network.add(forw1, after: network.add(preBlock, after: network.input))
        let quarter = network.add(forw2, after: network.add(MaxPooling("maxpool2"), after: half))
        let eighth = network.add(forw3, after: network.add(MaxPooling("maxpool3"), after: quarter))
        let sixteenth = network.add(forw4, after: network.add(MaxPooling("maxpool4"), after: eighth))
        let cat3 = network.add(UpwardJoin("cat3", path1, hasCoordinates: false), after: sixteenth, eighth)
        let up3 = network.add(back3, after: cat3)
        let cat2 = network.add(UpwardJoin("cat2", path2, hasCoordinates: true), after: up3, quarter)
        _ = network.add(output, after: network.add(back2, after: cat2))
    }

    private static let boxesOfAnchors =
        "logit, dz, dy, dx, dd per cell and anchor a: center = 1.5 + 4 i + d a, diameter = exp(dd) a, "
        + "probability = sigmoid(logit)"
}
