import Evaluation
import Foundation
import Testing

@testable import Report

@Suite struct PlotTests {
    @Test func linearAxesHoldTheirValues() {
        for top in [1e-5, 0.06, 0.1, 0.99, 1, 7, 2255, 100_000] {
            let axis = Axis.linear("x", [0, top])
            #expect(axis.range.lowerBound == 0 && axis.range.upperBound >= top * 0.999999)
            #expect(axis.range.upperBound <= top * 2.5)
            #expect((2...7).contains(axis.ticks.count))
            #expect(Set(axis.ticks.map(\.name)).count == axis.ticks.count, "\(axis.ticks)")
        }
        #expect(Axis.linear("x", [0.06]).ticks.map(\.name) == ["0.00", "0.02", "0.04", "0.06"])
        #expect(Axis.linear("x", []).ticks.count >= 2)
    }

    @Test func stepsEndTheirAxis() {
        let short = Axis.steps("step", upTo: 2255)
        #expect(short.range.upperBound == 2255 && short.ticks.map(\.name) == ["0", "1000", "2000"])
        #expect(Axis.steps("step", upTo: 100_000).ticks.map(\.name) == ["0", "50k", "100k"])
        #expect(Axis.steps("step", upTo: 0).range.upperBound == 1)
    }

    @Test func logarithmicAxesHoldTheirValues() {
        for (low, high) in [(0.01, 2.3), (0.1, 0.9), (1e-7, 100), (0.5, 0.5), (3, 1e9), (1e-30, 1)] {
            let axis = Axis.logarithmic("y", [low, high, 0, -1])
            #expect(axis.isLogarithmic && axis.range.upperBound >= high * 0.999)
            #expect(axis.range.lowerBound <= max(low, high * 1e-8) * 1.001)
            #expect((1...14).contains(axis.ticks.count), "\(low) \(high): \(axis.ticks)")
            #expect(axis.share(high) <= 1 && axis.share(0) == 0)
        }
        #expect(!Axis.logarithmic("y", [0, -1]).isLogarithmic)
        #expect(Axis.fitting("y", [0.1, 0.5]).isLogarithmic == false)
    }

    /// Names of curves that end together stand apart, and within the plot.
    @Test func namesDoNotOverlap() {
        let axis = Axis(title: "y", range: 0...1, ticks: [(0, "0"), (1, "1")])
        var plot = PlotArea(x: axis, y: axis, rightMargin: 90)
        plot.nameCurves((0..<6).map { ("curve \($0)", 0.01, "c0") })
        let text = plot.element(label: "")
        let places = text.split(separator: "<text class=\"name\"").dropFirst().compactMap { part in
            part.split(separator: "y=\"").dropFirst().first.flatMap { Double($0.prefix { $0 != "\"" }) }
        }
        #expect(places.count == 6)
        for (a, b) in zip(places, places.dropFirst()) { #expect(b - a >= 14) }
        #expect((places.last ?? 999) <= 300 - 38)
    }

    /// The FROC's points lie where its values say: on an axis of six octaves.
    @Test func pointsLieAtTheirValues() {
        let x = Axis(title: "x", range: 0.125...8, isLogarithmic: true, ticks: [])
        #expect(x.share(0.125) == 0 && x.share(8) == 1 && abs(x.share(1) - 0.5) < 1e-12)
        let plot = PlotArea(x: x, y: Axis(title: "y", range: 0...1, ticks: []))
        #expect(abs(plot.point(1, 0).x - (plot.left + plot.right) / 2) < 1e-9)
        #expect(plot.point(1, 1).y < plot.point(1, 0).y)
    }

    @Test func curvesDifferWithoutColour() {
        #expect(Set((0..<6).map(CurveStyle.dash)).count == 6)
        let pairs = (0..<12).map { CurveStyle.name($0) + CurveStyle.dash($0) }
        #expect(Set(pairs).count == 12)
    }
}
