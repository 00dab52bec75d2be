extension SliceStack {
    /// The number of ways to rescale that a warning names.
    private static let rescaleLimit = 4

    /// The oddities of the files that were read all the same, a sentence each.
    var warnings: [String] { [preambleWarning, excessWarning, rescaleWarning].compactMap(\.self) }

    private var preambleWarning: String? {
        let bare = slices.filter { !$0.hasPreamble }
        guard let first = bare.first else { return nil }
        return
            "\(Self.count(bare, "look")) like DICOM without its preamble (128 bytes and DICM), such as \(first.path): "
            + "read all the same"
    }

    private var excessWarning: String? {
        let long = slices.filter { $0.excessByteCount > 0 }
        guard let first = long.first else { return nil }
        return
            "\(Self.count(long, "hold")) more bytes in PixelData than voxels, such as \(first.path) with "
            + "\(first.excessByteCount) behind them: passed over"
    }

    /// Slices may each have their own rescaling, which is then applied; a scanner that writes CT seldom does so.
    private var rescaleWarning: String? {
        let groups = Dictionary(grouping: slices) { [$0.format.slope, $0.format.intercept] }
        guard groups.count > 1 else { return nil }
        let ordered = groups.sorted { ($1.value.count, $0.value[0].path) < ($0.value.count, $1.value[0].path) }
        let names = ordered.prefix(Self.rescaleLimit).map { numbers, slices in
            "\(numbers[0]) and \(numbers[1]) in \(slices.count) (such as \(slices[0].path))"
        }
        let rest = ordered.count > names.count ? ", and \(ordered.count - names.count) others" : ""
        return
            "RescaleSlope and RescaleIntercept differ among the slices: \(names.joined(separator: ", "))\(rest); "
            + "each slice is read with its own"
    }

    private static func count(_ slices: [Slice], _ verb: String) -> String {
        slices.count == 1 ? "1 file \(verb)s" : "\(slices.count) files \(verb)"
    }
}
