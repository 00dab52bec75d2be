// How a job scales: what was measured, and what is to be expected, as SVG files.

import Evaluation
import Scaling

/// Runs on one rank and more that do the same work: each rank as much (weak scaling), or all together (strong).
public struct ScalingSeries: Sendable {
    /// The name of the series in the legend.
    public var name: String
    /// The runs, by rank count.
    public var runs: [ScalingRun]

    /// Creates a series of runs.
    public init(_ name: String, _ runs: [ScalingRun]) {
        self.name = name
        self.runs = runs.sorted { $0.ranks < $1.ranks }
    }

    /// The throughput per rank, as a share of the smallest run's.
    public func efficiency(_ run: ScalingRun) -> Double {
        guard let first = runs.first else { return .nan }
        return run.throughput / Double(run.ranks) / (first.throughput / Double(first.ranks))
    }
}

/// Plots of throughput and efficiency over ranks.
public enum ScalingPlots {
    /// An SVG file of crops per second over ranks, beside what they would be without any loss.
    public static func throughput(_ series: [ScalingSeries]) -> String {
        let ranks = series.flatMap { $0.runs.map { Double($0.ranks) } }
        let rates = series.flatMap { $0.runs.map(\.throughput) }
        let most = ranks.max() ?? 1
        let ideals = series.compactMap(\.runs.first).map { $0.throughput / Double($0.ranks) * most }
        var plot = PlotArea(
            x: ranksAxis(upTo: most, ticks: Array(Set(ranks)).sorted()),
            y: Axis.logarithmic("crops per second", rates + ideals), rightMargin: 70)
        for (index, entry) in series.enumerated() {
            guard let first = entry.runs.first else { continue }
            let each = first.throughput / Double(first.ranks)
            let from = plot.point(Double(first.ranks), first.throughput)
            plot.svg.line(from, plot.point(most, each * most), "leader c5")
            plot.curve(
                entry.runs.map { (Double($0.ranks), $0.throughput) }, CurveStyle.name(index),
                dash: CurveStyle.dash(index))
            for run in entry.runs { plot.dot(Double(run.ranks), run.throughput, "dot c\(index % 6)") }
        }
        plot.nameCurves(
            series.enumerated().compactMap { index, entry in
                entry.runs.last.map { (entry.name, $0.throughput, CurveStyle.name(index)) }
            })
        let spoken = series.flatMap { entry in
            entry.runs.map { "\(entry.name), \($0.ranks) ranks: \(Decimal.text($0.throughput, places: 2))" }
        }
        return plot.file(label: "Crops per second over ranks. " + spoken.joined(separator: "; "))
    }

    /// An SVG file of efficiency over ranks as a model predicts it, for each way to sum.
    public static func prediction(_ predictions: [[StepTimeModel.Prediction]]) -> String {
        let most = predictions.joined().map { Double($0.ranks) }.max() ?? 1
        var plot = PlotArea(
            x: ranksAxis(upTo: most, ticks: stride(from: 0, through: 5, by: 1).map { Self.powerOfTen($0) }),
            y: Axis(
                title: "efficiency", range: 0...1,
                ticks: stride(from: 0, through: 10, by: 2).map { (Double($0) / 10, "\($0 * 10) %") }),
            rightMargin: 100)
        for (index, curve) in predictions.enumerated() {
            plot.curve(
                curve.map { (Double($0.ranks), $0.efficiency) }, CurveStyle.name(index), dash: CurveStyle.dash(index))
        }
        plot.nameCurves(
            predictions.enumerated().compactMap { index, curve in
                curve.last.map { ($0.algorithm.rawValue, $0.efficiency, CurveStyle.name(index)) }
            })
        let spoken = predictions.compactMap(\.last).map {
            "\($0.algorithm.rawValue): \(Decimal.text(100 * $0.efficiency, places: 0)) % on \($0.ranks) ranks"
        }
        return plot.file(label: "Predicted efficiency over ranks. " + spoken.joined(separator: "; "))
    }

    private static func powerOfTen(_ exponent: Int) -> Double { (0..<exponent).reduce(1) { power, _ in power * 10 } }

    private static func ranksAxis(upTo most: Double, ticks: [Double]) -> Axis {
        Axis(
            title: "ranks", range: 1...max(most, 1.001), isLogarithmic: true,
            ticks: ticks.filter { $0 <= most }.map { ($0, Decimal.text($0, places: 0)) })
    }
}
