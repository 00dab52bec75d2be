// A run's log as it is read.

/// One line of a run's log.
public enum LogRecord: Hashable, Sendable {
    case start(StartRecord)
    case step(StepRecord)
    case epoch(EpochRecord)
    case ranks(RanksRecord)
    case round(RoundRecord)
    case notice(NoticeRecord)
    case froc(FROCRecord)
    /// A kind that this version does not know.
    case other(LogPlace)
}

/// What every line of a log tells: its kind, and after how many steps it was written.
public struct LogPlace: Codable, Hashable, Sendable {
    public var kind: String
    /// Completed steps.
    public var step: Int
}

extension LogRecord: Decodable {
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
