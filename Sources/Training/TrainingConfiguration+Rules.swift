// Demands on several keys together; demands on one key stand beside it in the table.

import Exchange
import Networks

extension TrainingConfiguration {
    /// A demand on the value of one key that depends on others.
    struct Rule: Sendable {
        /// The property whose key is at fault.
        let path: PartialKeyPath<TrainingConfiguration> & Sendable
        /// The condition under which the key may be set, for lists of all keys: `reduction: tree only`.
        var need: @Sendable () -> String? = { nil }
        /// The reason why a configuration is impossible, or nil where it is possible.
        let problem: @Sendable (TrainingConfiguration) -> String?
    }

    /// The demands in the order of their checks, which follow those of each key by itself.
    static let rules: [Rule] = [
        Rule(path: \.recipe) { $0.recipe.misfit($0.network) },
        Rule(path: \.evaluateEveryEpochs) {
            $0.evaluateEveryEpochs != nil && $0.validationFold == nil
                ? "there are no held-out scans while \(name(of: \.validationFold)) is null" : nil
        },
        Rule(path: \.stallLimitSeconds) {
            guard let limit = $0.stallLimitSeconds, let warning = $0.stallWarningSeconds, limit < warning else {
                return nil
            }
            return "\(limit), expected at least \(name(of: \.stallWarningSeconds)), \(warning), or null"
        },
        needs(\.gradientExchange, \.reduction, .tree),
        needs(\.localSteps, \.reduction, .tree),
        Rule(path: \.ema, need: { "without \(name(of: \.localSteps))" }) {
            $0.ema != nil && $0.localSteps != nil
                ? "there is no mean of the weights of sites that train by themselves: set it or "
                    + "\(name(of: \.localSteps)) to null" : nil
        },
        needs(\.sites, \.localSteps),
        Rule(path: \.sites) {
            $0.sites.nonzeroBitCount == 1 && $0.replicas % $0.sites == 0
                ? nil
                : "\($0.sites), expected a power of two that divides \(name(of: \.replicas)), \($0.replicas)"
        },
        needs(\.outerLearningRate, \.localSteps),
        needs(\.outerMomentum, \.localSteps),
        Rule(path: \.synchronizedBatchNorm, need: { "networks with batch normalisation only" }) {
            guard $0.synchronizedBatchNorm, !$0.network.hasBatchStatistics else { return nil }
            let others = Architecture.allCases.filter(\.hasBatchStatistics).map(\.name)
            return "\($0.network.name) normalises every crop by itself, and there are no statistics to share: "
                + "set it to false, or \(name(of: \.network)) to \(others.joined(separator: " or "))"
        },
    ]

    /// A rule for a key that goes with one value of another: with any other it may only be what the preset says.
    static func needs<Value: Equatable & Sendable, Other: Equatable & Sendable>(
        _ path: KeyPath<TrainingConfiguration, Value> & Sendable,
        _ other: WritableKeyPath<TrainingConfiguration, Other> & Sendable, _ required: Other
    ) -> Rule {
        let setting: @Sendable () -> String = {
            var example = TrainingConfiguration()
            example[keyPath: other] = required
            return "\(name(of: other)): \(example.text(of: other))"
        }
        return Rule(path: path, need: { "\(setting()) only" }) {
            $0[keyPath: other] == required || $0.hasPresetValue(path) ? nil : "\($0.text(of: path)) needs \(setting())"
        }
    }

    /// A rule for a key that goes with any value of another but null.
    static func needs<Value: Equatable & Sendable, Other>(
        _ path: KeyPath<TrainingConfiguration, Value> & Sendable,
        _ other: KeyPath<TrainingConfiguration, Other?> & Sendable
    ) -> Rule {
        Rule(path: path, need: { "\(name(of: other)) only" }) {
            $0[keyPath: other] != nil || $0.hasPresetValue(path) ? nil : "\($0.text(of: path)) needs \(name(of: other))"
        }
    }

    private func hasPresetValue<Value: Equatable>(_ path: KeyPath<TrainingConfiguration, Value>) -> Bool {
        self[keyPath: path] == TrainingConfiguration(preset: preset)[keyPath: path]
    }

    /// The first fault of this configuration, if there is any: the key, and the values that it may have.
    var fault: (key: String, text: String)? {
        for key in Self.keys {
            if let fault = key.fault(self) { return fault }
        }
        for rule in Self.rules {
            if let text = rule.problem(self) { return (Self.name(of: rule.path), text) }
        }
        return nil
    }
}
