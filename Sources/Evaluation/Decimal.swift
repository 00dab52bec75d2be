import Basics

/// Decimal notation with a fixed number of places, the same on every system.
public enum Decimal {
    /// Writes a number with so many places, rounded to the nearest.
    public static func text(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        let scaled = Int((abs(value) * factor).rounded())
        let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: Int(factor))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(whole)" }
        return "\(sign)\(whole).\(fraction.zeroPadded(to: places))"
    }

    /// Writes a number with so many places, with a plus sign where it is not negative.
    public static func signedText(_ value: Double, places: Int) -> String {
        let text = text(value, places: places)
        return text.hasPrefix("-") ? text : "+" + text
    }

    /// Writes a probability for people, with three places. One between 0 and 1 is never rounded to either, but is
    /// `below 0.001` or `above 0.999`.
    public static func probability(_ value: Double) -> String {
        if value > 0 && value < 0.0005 { return "below 0.001" }
        return value >= 0.9995 && value < 1 ? "above 0.999" : text(value, places: 3)
    }
}
