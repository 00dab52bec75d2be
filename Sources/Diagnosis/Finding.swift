/// Something that a user should know before a long job.
public struct Finding: Hashable, Sendable, Codable {
    public enum Severity: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
        /// The job runs well, or nothing can be done.
        case note
        /// The job runs, but slower than it could, or at a risk.
        case warning
        /// The job does not start, or will fail.
        case problem

        public static func < (a: Self, b: Self) -> Bool {
            (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
        }
    }

    public var severity: Severity
    /// One word for what it is about, such as `processors`.
    public var subject: String
    /// Whom it concerns; empty where it is the job as a whole.
    public var ranks: NumberSet
    /// What was seen, and where.
    public var seen: String
    /// What to change.
    public var remedy: String

    /// `no problems, 2 warnings`.
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
    /// What was seen, without saying where.
    var what: String
    var remedy: String
    var ranks: [Int]
}
