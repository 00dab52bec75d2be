import Training

/// What launchers have to know of a run before they start it: what the command has made of its options and files.
struct TrainingPlan {
    let configuration: TrainingConfiguration
    let options: RunOptions

    /// One `key: value` a line, without what there is not. A path is the rest of its line.
    var lines: [String] {
        let ranks = configuration.rankCounts.map(String.init).joined(separator: " ")
        let all: [(String, String?)] = [
            ("run", options.path), ("data", options.data), ("replicas", "\(configuration.replicas)"),
            ("ranks", ranks.isEmpty ? nil : ranks), ("threads", configuration.threads.map(String.init)),
        ]
        return all.compactMap { key, value in value.map { "\(key): \($0)" } }
    }
}
