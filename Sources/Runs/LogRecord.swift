// A run's log as it is read.

/// A line of a run's log.
public enum LogRecord: Hashable, Sendable {
    /// The start of a run, or its resumption.
    case start(StartRecord)
    /// A training step.
    case step(StepRecord)
    /// An epoch's training or validation.
    case epoch(EpochRecord)
    /// The ranks' work in some steps.
    case ranks(RanksRecord)
    /// A round of local steps.
    case round(RoundRecord)
    /// A message from sites beyond the first.
    case notice(NoticeRecord)
    /// An evaluation on whole held-out scans.
    case froc(FROCRecord)
    /// A line of a kind that this version does not know.
    case other(LogPlace)
}

/// The members that every line of a log has.
public struct LogPlace: Codable, Hashable, Sendable {
    /// The name of the line's kind.
    public var kind: String
    /// The number of completed steps when it was written.
    public var step: Int
}

extension LogRecord: Decodable {
    /// Reads a line of any kind.
    ///
    /// - Throws: `DecodingError` where the line has no kind or step, or a member is of another type than the kind's.
    public init(from decoder: any Decoder) throws {
        let place = try LogPlace(from: decoder)
        self =
            switch place.kind {
            case "start": .start(try StartRecord(from: decoder))
            case "step": .step(try StepRecord(from: decoder))
            case "train", "validation": .epoch(try EpochRecord(from: decoder))
            case "ranks": .ranks(try RanksRecord(from: decoder))
            case "round": .round(try RoundRecord(from: decoder))
            case "notice": .notice(try NoticeRecord(from: decoder))
            case "froc": .froc(try FROCRecord(from: decoder))
            default: .other(place)
            }
    }
}
