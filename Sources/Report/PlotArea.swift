import Evaluation
import Foundation

/// A quantity along one side of a plot.
struct Axis {
    var title: String
    var range: ClosedRange<Double>
    var isLogarithmic = false
    var ticks: [(value: Double, name: String)]

    /// The place of a value between the axis's ends, 0 to 1; values beyond them lie at the end.
    func share(_ value: Double) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        guard high > low else { return 0.5 }
        let share = isLogarithmic ? log(max(value, low) / low) / log(high / low) : (value - low) / (high - low)
        return min(max(share, 0), 1)
    }

    /// An axis of round numbers from zero that holds all values.
    static func linear(_ title: String, _ values: [Double], ticks count: Int = 5) -> Axis {
        let top = max(values.max() ?? 0, 1e-12)
        let power = pow(10, floor(log10(top / Double(count))))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 * Double(count) >= top } ?? top
        let places = max(0, Int(-floor(log10(step) + 1e-9)))
        let last = Int((top / step - 1e-9).rounded(.up))
        return Axis(
            title: title, range: 0...Double(last) * step,
            ticks: (0...last).map { (Double($0) * step, Decimal.text(Double($0) * step, places: places)) })
    }

    /// An axis of round numbers that ends with the largest value.
    static func steps(_ title: String, upTo last: Int) -> Axis {
        var axis = linear(title, [Double(last)], ticks: 4)
        axis.range = 0...Double(max(1, last))
        axis.ticks.removeAll { $0.value > axis.range.upperBound }
        if last >= 10_000 {
            axis.ticks = axis.ticks.map {
                ($0.value, $0.value == 0 ? "0" : "\(Decimal.text($0.value / 1000, places: 0))k")
            }
        }
        return axis
    }

    /// An axis with ticks at powers of ten, and at twos and fives where these are few; zeros and negative values lie at
    /// the lower end.
    static func logarithmic(_ title: String, _ values: [Double]) -> Axis {
        let positive = values.filter { $0 > 0 }
        guard let low = positive.min(), let high = positive.max() else { return linear(title, values) }
        // More than eight decades would say nothing.
        let floorValue = max(low, high * 1e-8)
        let decades = log10(high / floorValue)
        let factors: [Double] = decades > 3 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5]
        let exponents = Int(floor(log10(floorValue))) - 1...Int(ceil(log10(high))) + 1
        let round = exponents.flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
        let bottom = round.last { $0 <= floorValue * 1.000001 } ?? floorValue
        let top = round.first { $0 >= high * 0.999999 } ?? high
        let shown = round.filter { bottom * 0.999...top * 1.001 ~= $0 }
        return Axis(
            title: title, range: bottom...max(top, bottom * 1.001), isLogarithmic: true,
            ticks: shown.map { ($0, Self.name($0)) })
    }

    /// An axis that is logarithmic where the values span more than a decade.
    static func fitting(_ title: String, _ values: [Double]) -> Axis {
        let positive = values.filter { $0 > 0 }
        guard let low = positive.min(), let high = positive.max(), high > 10 * low else { return linear(title, values) }
        return logarithmic(title, values)
    }

    private static func name(_ value: Double) -> String {
        let exponent = Int(floor(log10(value) + 1e-9))
        if -4...5 ~= exponent { return Decimal.text(value, places: max(0, -exponent)) }
        return "\(Decimal.text(value / pow(10, Double(exponent)), places: 0))e\(exponent)"
    }
}

/// A drawing with axes.
struct PlotArea {
    var svg: SVG
    let x: Axis
    let y: Axis
    let left: Double
    let right: Double
    private let top = 10.0
    private let bottom: Double

    /// - Parameter rightMargin: The room for names beside the curves.
    init(width: Double = 480, height: Double = 300, x: Axis, y: Axis, rightMargin: Double = 20) {
        svg = SVG(width: width, height: height)
        self.x = x
        self.y = y
        let widest = y.ticks.map(\.name.count).max() ?? 1
        left = 30 + 7.5 * Double(widest)
        right = width - rightMargin
        bottom = height - 44
        for tick in y.ticks {
            let level = point(x.range.lowerBound, tick.value).y
            svg.line((left, level), (right, level), "grid")
            svg.text((left - 6, level + 4), tick.name, .end)
        }
        for tick in x.ticks {
            let place = point(tick.value, y.range.lowerBound).x
            svg.line((place, top), (place, bottom), "grid")
            svg.text((place, bottom + 16), tick.name, .middle)
        }
        svg.text(((left + right) / 2, height - 8), x.title, .middle)
        svg.uprightText((12, (top + bottom) / 2), y.title)
    }

    /// The place of a pair of values on the drawing.
    func point(_ xValue: Double, _ yValue: Double) -> SVG.Point {
        (left + x.share(xValue) * (right - left), bottom - y.share(yValue) * (bottom - top))
    }

    mutating func curve(_ values: [(x: Double, y: Double)], _ style: String, dash: String = "") {
        svg.curve(values.map { point($0.x, $0.y) }, style, dash: dash)
    }

    /// Fills the area between two curves over the same places.
    mutating func band(_ values: [(x: Double, lower: Double, upper: Double)], _ style: String) {
        svg.area(values.map { point($0.x, $0.upper) } + values.reversed().map { point($0.x, $0.lower) }, style)
    }

    mutating func dot(_ xValue: Double, _ yValue: Double, _ style: String) {
        svg.dot(point(xValue, yValue), radius: 3, style)
    }

    /// Writes names at the right of curves, pushed apart where they would overlap.
    ///
    /// - Parameter names: The names, each with its curve's last value and style.
    mutating func nameCurves(_ names: [(name: String, value: Double, style: String)]) {
        var level = top
        let sorted = names.map { (name: $0.name, y: point(0, $0.value).y, style: $0.style) }.sorted { $0.y < $1.y }
        var places: [Double] = []
        for (index, entry) in sorted.enumerated() {
            // The names below need their room, too.
            let room = bottom - 15 * Double(sorted.count - 1 - index)
            let place = max(level, min(entry.y, max(room, top)))
            places.append(place)
            level = place + 15
        }
        for (entry, place) in zip(sorted, places) {
            svg.line((right, entry.y), (right + 8, place), entry.style + " leader")
            svg.text((right + 11, place + 4), entry.name, .start, "name")
        }
    }

    func element(label: String) -> String { svg.element(label: label) }

    func file(label: String) -> String { svg.file(label: label) }
}
