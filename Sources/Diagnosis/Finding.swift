/// An observation that a user should know of before a long job.
public struct Finding: Hashable, Sendable, Codable {
    /// The importance of a finding, ascending.
    public enum Severity: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
        /// The job runs well, or nothing can be done.
        case note
        /// The job runs, but slower than it could, or at a risk.
        case warning
        /// The job does not start, or will fail.
        case problem

        /// Whether the first is less important than the second.
        public static func < (a: Self, b: Self) -> Bool {
            (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
        }
    }

    /// The finding's importance.
    public var severity: Severity
    /// The subject in one word, such as `processors`.
    public var subject: String
    /// The ranks that it concerns; empty where it is the job as a whole.
    public var ranks: NumberSet
    /// The observation, and where it was made.
    public var seen: String
    /// The change that would help.
    public var remedy: String

    /// The numbers of findings by severity: `no problems, 2 warnings`.
    public static func summary(_ findings: [Finding]) -> String {
        let counts = Severity.allCases.reversed().map { severity in
            (severity, findings.count { $0.severity == severity })
        }
        return counts.compactMap { severity, count -> String? in
            if count == 0 { return severity == .problem ? "no problems" : nil }
            return "\(count) \(severity)\(count == 1 ? "" : "s")"
        }.joined(separator: ", ")
    }
}

/// A finding before it is known where else the same was found.
struct Observation {
    var severity: Finding.Severity
    var subject: String
    /// The observation, without saying where it was made.
    var what: String
    var remedy: String
    var ranks: [Int]
}
