import Runs

/// What was seen at a time, and whether it is a stall that should be told.
struct StallAlarm {
    /// Seconds without anything done, after which it is told, and after which the job ends; nil: never.
    let warning: Double?
    let limit: Double?
    private var isTold = false

    enum Action: Equatable {
        case none
        case warn(String)
        /// It goes on again.
        case relieve
        case end(String)
    }

    init(warning: Double?, limit: Double?) {
        self.warning = warning
        self.limit = limit
    }

    /// What is to be done, given what this rank sees: of a stall it is told once.
    mutating func judge(_ judgement: StallJudgement, rank: Int) -> Action {
        let seconds = judgement.seconds
        guard seconds >= min(warning ?? .infinity, limit ?? .infinity) else {
            defer { isTold = false }
            return isTold ? .relieve : .none
        }
        guard judgement.teller == rank else { return .none }
        let text = "nothing got done for \(Int(seconds)) s: \(judgement.description)"
        if let limit, judgement.certainSeconds >= limit { return .end(text) }
        if isTold { return .none }
        isTold = true
        return .warn(text)
    }
}
