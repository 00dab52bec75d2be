import Foundation

/// The FROC curve as SVG: rates on a logarithmic axis, the bootstrap's band behind it. Colours come from the page's
/// style sheet, so that it reads in light and dark.
enum Plot {
    private static let width = 640.0
    private static let height = 400.0
    private static let left = 56.0
    private static let right = 16.0
    private static let top = 16.0
    private static let bottom = 48.0

    static func svg(_ result: EvaluationResult) -> String {
        var parts: [String] = []
        for (index, rate) in FROC.rates.enumerated() {
            let x = place(rate)
            parts.append(line(x, top, x, height - bottom, "grid"))
            parts.append(text(x, height - bottom + 18, ["1/8", "1/4", "1/2", "1", "2", "4", "8"][index], "middle"))
        }
        for tenth in stride(from: 0, through: 10, by: 2) {
            let y = level(Double(tenth) / 10)
            parts.append(line(left, y, width - right, y, "grid"))
            parts.append(text(left - 8, y + 4, Decimal.text(Double(tenth) / 10, places: 1), "end"))
        }
        parts.append(text((left + width - right) / 2, height - 10, "false positives per scan", "middle"))
        let middle = (top + height - bottom) / 2
        parts.append(
            "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(16 \(number(middle))) rotate(-90)\">sensitivity</text>"
        )
        if let band = result.bootstrap?.band {
            let upper = band.map { (place($0.rate), level($0.interval.upper)) }
            let lower = band.reversed().map { (place($0.rate), level($0.interval.lower)) }
            parts.append("<polygon class=\"band\" points=\"\(points(upper + lower))\"/>")
        }
        // Straight in the rate is not straight in its logarithm: sample densely.
        let curve = (0...240).map { step -> (Double, Double) in
            let rate = 0.125 * exp2(Double(step) / 40)
            return (place(rate), level(result.froc.sensitivity(at: rate)))
        }
        parts.append("<polyline class=\"curve\" points=\"\(points(curve))\"/>")
        for rate in FROC.rates {
            parts.append(
                "<circle class=\"dot\" cx=\"\(number(place(rate)))\" cy=\"\(number(level(result.froc.sensitivity(at: rate))))\" r=\"3.5\"/>"
            )
        }
        return
            "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"FROC curve\">\(parts.joined())</svg>"
    }

    /// Six octaves, 1/8 to 8.
    private static func place(_ rate: Double) -> Double {
        left + log2(rate / 0.125) / 6 * (width - left - right)
    }

    private static func level(_ sensitivity: Double) -> Double {
        height - bottom - sensitivity * (height - top - bottom)
    }

    private static func number(_ value: Double) -> String { Decimal.text(value, places: 1) }

    private static func points(_ list: [(Double, Double)]) -> String {
        list.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
        "<line class=\"\(style)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\"/>"
    }

    private static func text(_ x: Double, _ y: Double, _ content: String, _ anchor: String) -> String {
        "<text class=\"label\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(content)</text>"
    }
}
