import Runs

/// A memory of whether a stall was reported already, and the rule for when it is.
struct StallAlarm {
    /// Seconds without progress until a warning; nil: there is none.
    let warning: Double?
    /// Seconds without progress until the job ends; nil: it never does.
    let limit: Double?
    private var isTold = false

    enum Action: Equatable {
        case none
        case warn(String)
        /// The run goes on again.
        case relieve
        case end(String)
    }

    init(warning: Double?, limit: Double?) {
        self.warning = warning
        self.limit = limit
    }

    /// The action to take, given what this rank sees; a stall is reported once.
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
