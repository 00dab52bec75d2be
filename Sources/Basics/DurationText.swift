/// A time for people: `47 s`, `3 min 05 s`, `2 h 10 min`, `3 d 04 h`.
///
/// - Parameter seconds: The time in s, not negative.
public func durationText(_ seconds: Double) -> String {
    let s = Int(seconds.rounded())
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if s < 60 { return "\(s) s" }
    if s < 3600 { return "\(s / 60) min \(two(s % 60)) s" }
    if s < 24 * 3600 { return "\(s / 3600) h \(two(s / 60 % 60)) min" }
    return "\(s / 86_400) d \(two(s / 3600 % 24)) h"
}
