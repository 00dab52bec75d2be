import Compute

extension Architecture {
    /// A 3-D U-Net of residual blocks with strided convolutions and an anchor-free head of three towers: CPMNet v2,
    /// after W. Song et al., "CPM-Net: A 3D Center-Points Matching Network for Pulmonary Nodule Detection in CT Scans",
    /// MICCAI 2020.
    ///
    /// A cell's numbers are the logit, the offset (z, y, x) of the nodule's centre from the cell's place 4 i in cells,
    /// and the halves of its extents (z, y, x) in voxels. Before training the logit is −ln 99, the offset 0.05 and half
    /// an extent 0.5 everywhere.
    public static let cpmNet = centerPointNetwork("cpm-net", normalizing: .batch)

    /// CPMNet v2 with group normalisation, its other option: the network `cpmNet`, normalised in groups of 8 channels.
    public static let cpmNetGN = centerPointNetwork("cpm-net-gn", normalizing: .group(channels: 8))

    private static func centerPointNetwork(_ name: String, normalizing scope: NormalizationScope) -> Architecture {
        Architecture(
            name, anchors: 1, components: 7, outputFormula: boxesOfCells, statisticsMomentum: 0.05,
            conventions: .modules.normalizing(over: scope), build: buildCenterPointNetwork)
    }

    @Sendable private static func buildCenterPointNetwork(_ network: NetworkGraph) {
        let d = network.declarations
        // One line per block, in the order of PyTorch's `state_dict`; on the right, the resolution.
        let entry = StridedEntry("in_conv", "in_dw", channels: (32, 64), d)  //   1 → 32 → 64              1 → 1/2
        let block1 = Stage("block1", 64, 64, blocks: 2, keepsOutput: false, d)  //                             1/2
        let down1 = ConvolutionSeries(halving: "block1_dw", side: 2, 64, 96, d)  //                      1/2 → 1/4
        let block2 = Stage("block2", 96, 96, blocks: 3, d)  //                                                 1/4
        let down2 = ConvolutionSeries(halving: "block2_dw", side: 2, 96, 128, d)  //                     1/4 → 1/8
        let block3 = Stage("block3", 128, 128, blocks: 3, d)  //                                               1/8
        let down3 = ConvolutionSeries(halving: "block3_dw", side: 2, 128, 160, d)  //                   1/8 → 1/16
        let block4 = Stage("block4", 160, 160, blocks: 3, d)  //                                              1/16
        let up33 = UpwardBlock("block33_up", 160, 128, d)  //                                           1/16 → 1/8
        let side33 = Stage("block33_res", 128, 128, blocks: 1, d)  //                                          1/8
        let block33 = Stage("block33", 256, 128, blocks: 2, d)  //                128 + 128 → 128              1/8
        let up22 = UpwardBlock("block22_up", 128, 96, d)  //                                             1/8 → 1/4
        let side22 = Stage("block22_res", 96, 96, blocks: 1, d)  //                                            1/4
        let block22 = Stage("block22", 192, 96, blocks: 2, d)  //                   96 + 96 → 96               1/4
        let logitTower = ConvolutionSeries("head.conv_s", 96, count: 3, d)
        let logit = OutputConvolution("head.cls_output", 96, 1, start: -4.595_119_9, isLogit: true, d)
        let shapeTower = ConvolutionSeries("head.conv_r", 96, count: 3, d)
        let shape = OutputConvolution("head.shape_output", 96, 3, start: 0.5, d)
        let offsetTower = ConvolutionSeries("head.conv_o", 96, count: 3, d)
        let offset = OutputConvolution("head.offset_output", 96, 3, start: 0.05, d)

        let half = network.add(block1, after: network.add(entry, after: network.input))
        let quarter = network.add(block2, after: network.add(down1, after: half))
        let eighth = network.add(block3, after: network.add(down2, after: quarter))
        let sixteenth = network.add(block4, after: network.add(down3, after: eighth))
        let cat3 = network.add(
            UpwardJoin("block33.cat", up33, hasCoordinates: false), after: sixteenth,
            network.add(side33, after: eighth))
        let up3 = network.add(block33, after: cat3)
        let cat2 = network.add(
            UpwardJoin("block22.cat", up22, hasCoordinates: false), after: up3, network.add(side22, after: quarter))
        let features = network.add(block22, after: cat2)
        let logits = network.add(logit, after: network.add(logitTower, after: features))
        let offsets = network.add(offset, after: network.add(offsetTower, after: features))
        let shapes = network.add(shape, after: network.add(shapeTower, after: features))
        _ = network.add(OutputJoin("head.outputs"), after: logits, offsets, shapes)
    }

    private static let boxesOfCells =
        "logit, oz, oy, ox, rz, ry, rx per cell: center = 4 (i + o), extents = 2 r, probability = sigmoid(logit)"
}
