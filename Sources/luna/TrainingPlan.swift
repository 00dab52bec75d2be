import Training

/// The facts that launchers have to know of a run before they start it, as they follow from the command's options and
/// files.
struct TrainingPlan {
    let configuration: TrainingConfiguration
    let options: RunOptions

    /// The facts as lines `key: value`; a fact that is missing has no line. A path is the rest of its line.
    var lines: [String] {
        let ranks = configuration.rankCounts.map(String.init).joined(separator: " ")
        let all: [(String, String?)] = [
            ("run", options.path), ("data", options.data), ("replicas", "\(configuration.replicas)"),
            ("ranks", ranks.isEmpty ? nil : ranks), ("threads", configuration.threads.map(String.init)),
        ]
        return all.compactMap { key, value in value.map { "\(key): \($0)" } }
    }
}
