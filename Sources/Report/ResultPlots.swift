import Evaluation
import Foundation

/// The differences between curves: colours, and dashes for readers who cannot tell the colours apart or print in grey.
enum CurveStyle {
    private static let dashes = ["", "7 3", "2 3", "10 3 2 3", "5 2 1 2 1 2", "14 4"]

    static func name(_ index: Int) -> String { "curve c\(index % dashes.count)" }

    static func dash(_ index: Int) -> String { dashes[(index + index / dashes.count) % dashes.count] }
}

/// Sensitivity against false positives per scan, on a logarithmic axis, with the first detector's bootstrap band.
enum FROCPlot {
    /// The most characters of a name beside its curve.
    private static let nameLimit = 18

    static func element(_ comparison: Comparison) -> String {
        let detectors = comparison.detectors
        let names = detectors.map { shortened($0.name) }
        let widest = names.map(\.count).max() ?? 0
        let base = base(comparison)
        let count = Int(((1 - base) * 10).rounded())
        let levels = stride(from: 0, through: count, by: count > 5 ? 2 : 1).map { base + Double($0) / 10 }
        // Names need room of their own.
        let margin = detectors.count > 1 ? 26 + 7.2 * Double(widest) : 20
        var plot = PlotArea(
            width: 460 + margin, height: max(320, 60 + 15 * Double(detectors.count)),
            x: Axis(
                title: "false positives per scan", range: 0.125...8, isLogarithmic: true,
                ticks: zip(FROC.rates, FROC.rateNames).map { ($0, $1) }),
            y: Axis(title: "sensitivity", range: base...1, ticks: levels.map { ($0, Decimal.text($0, places: 1)) }),
            rightMargin: margin)
        if let band = detectors.first?.result.bootstrap?.band {
            plot.band(band.map { ($0.rate, $0.interval.lower, $0.interval.upper) }, "band")
        }
        for (index, detector) in detectors.enumerated().reversed() {
            let froc = detector.result.froc
            // A line that is straight in the rate is not straight in its logarithm: sample densely.
            let rates = (0...240).map { 0.125 * exp2(Double($0) / 40) }
            plot.curve(
                rates.map { ($0, froc.sensitivity(at: $0)) }, CurveStyle.name(index), dash: CurveStyle.dash(index))
            for rate in FROC.rates { plot.dot(rate, froc.sensitivity(at: rate), "dot c\(index % 6)") }
        }
        if detectors.count > 1 {
            plot.nameCurves(
                detectors.indices.map {
                    (names[$0], detectors[$0].result.froc.sensitivity(at: 8), CurveStyle.name($0))
                })
        }
        let spoken = detectors.map { detector in
            let values = zip(FROC.rateNames, detector.result.froc.sensitivities).map {
                "\(Decimal.text($1, places: 3)) at \($0)"
            }
            return "\(detector.name): \(values.joined(separator: ", "))"
        }
        return plot.element(
            label: "FROC curve: sensitivity against false positives per scan. " + spoken.joined(separator: ". "))
    }

    /// The lower end of the axis of sensitivity: 0, or 0.2, 0.4 or 0.6 where all that is drawn lies above.
    static func base(_ comparison: Comparison) -> Double {
        let curves = comparison.detectors.map { $0.result.froc.sensitivity(at: 0.125) }
        let band = comparison.detectors.first?.result.bootstrap?.sensitivities.first?.lower
        let least = min(curves.min() ?? 0, band ?? 1)
        return min(0.6, (least / 0.2).rounded(.down) * 0.2)
    }

    static func shortened(_ name: String) -> String {
        name.count > nameLimit ? name.prefix(nameLimit - 1) + "…" : name
    }
}

/// Bars of sensitivity by diameter, each with Wilson's interval and its number of nodules.
enum DiameterPlot {
    static func element(_ sizes: DiameterSensitivity) -> String {
        let levels = stride(from: 0, through: 10, by: 2).map { Double($0) / 10 }
        let count = Double(sizes.bins.count)
        var plot = PlotArea(
            height: 280,
            x: Axis(title: "nodule diameter, mm", range: 0...count, ticks: []),
            y: Axis(title: "sensitivity", range: 0...1, ticks: levels.map { ($0, Decimal.text($0, places: 1)) }))
        for (index, bin) in sizes.bins.enumerated() {
            plot.bar(
                index, share: bin.nodules.share, interval: bin.nodules.interval, name: name(bin),
                note: "\(bin.nodules.trials)")
        }
        let spoken = sizes.bins.map { "\(name($0)) mm: \($0.nodules.hits) of \($0.nodules.trials)" }
        return plot.element(label: "Sensitivity by nodule diameter. " + spoken.joined(separator: ", "))
    }

    static func name(_ bin: DiameterSensitivity.Bin) -> String {
        func text(_ value: Double) -> String { Decimal.text(value, places: 0) }
        if bin.to == .infinity { return "≥ \(text(bin.from))" }
        return bin.from == 0 ? "< \(text(bin.to))" : "\(text(bin.from))–\(text(bin.to))"
    }
}

extension PlotArea {
    /// A bar over the unit interval that begins at `index`.
    fileprivate mutating func bar(
        _ index: Int, share: Double, interval: ClosedRange<Double>, name: String, note: String
    ) {
        let slot = (right - left) / x.range.upperBound
        let width = min(slot * 0.66, 70)
        let middle = left + (Double(index) + 0.5) * slot
        let (foot, head) = (point(0, 0).y, point(0, share).y)
        let (low, high) = (point(0, interval.lowerBound).y, point(0, interval.upperBound).y)
        svg.box((middle - width / 2, head), width: width, height: foot - head, "bar")
        svg.line((middle, low), (middle, high), "whisker")
        for end in [low, high] { svg.line((middle - 4, end), (middle + 4, end), "whisker") }
        svg.text((middle, foot + 16), name, .middle)
        svg.text((middle, foot - 6), note, .middle, "count")
    }
}
