import Basics
import Foundation

/// One line on standard error that says how far a long job is: a bar, rewritten in place, on a terminal; a line every
/// ten seconds where there is none.
struct ProgressLine {
    private let label: String
    private var total: Int
    private let began = ContinuousClock.now
    private var lastPrint: ContinuousClock.Instant?
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// The number that was done before this job began, which tells nothing of its speed.
    private let first: Int
    private let showsRate: Bool
    /// Whether the terminal's cursor stands behind the line.
    private var isOpen = false

    /// - Parameters:
    ///   - label: What is counted: `scans`, `step`.
    ///   - showsRate: Whether to say how many are done in a minute.
    init(_ label: String, total: Int, start: Int = 0, showsRate: Bool = false) {
        self.label = label
        self.total = total
        first = start
        self.showsRate = showsRate
    }

    /// - Parameters:
    ///   - completed: How many of the total are done.
    ///   - total: Where it was not known before.
    ///   - detail: What else to say, such as a rate or a loss.
    ///   - share: Of the work, where what is counted differs in size; 0 to 1.
    mutating func update(_ completed: Int, of total: Int? = nil, _ detail: String = "", share: Double? = nil) {
        if let total { self.total = total }
        let total = self.total
        let now = ContinuousClock.now
        if let lastPrint, now - lastPrint < (isTerminal ? .milliseconds(100) : .seconds(10)), completed < total {
            return
        }
        lastPrint = now
        isOpen = true
        let elapsed = (now - began) / .seconds(1)
        let done = Double(completed - first)
        let part = share ?? (total > first ? done / Double(total - first) : 0)
        let left = part > 0 ? elapsed / part * (1 - part) : nil
        let remaining = left.map { completed < total ? ", \(durationText($0)) left" : ", \(durationText(elapsed))" }
        let rate = showsRate && elapsed > 0 ? String(format: ", %.1f %@/min", done / elapsed * 60, label) : ""
        let text = "\(completed)/\(total)\(rate)\(detail.isEmpty ? "" : ", \(detail)")\(remaining ?? "")"
        write(isTerminal ? "\r\u{1B}[K\(label) \(bar(part)) \(text)" : "\(label) \(text)\n")
    }

    private func bar(_ part: Double) -> String {
        let width = 24
        let full = min(width, max(0, Int(part * Double(width))))
        return String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    }

    /// Ends the line, if it has begun.
    mutating func finish() {
        if isTerminal && isOpen { write("\n") }
        isOpen = false
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
