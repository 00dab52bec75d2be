import Detection
import Exchange
import FileIO
import Networks
import Testing
import Yams

@testable import Training

/// The table of keys: nothing is forgotten, and every kind reads, writes and refuses.
@Suite struct ConfigurationKeyTests {
    /// Every stored property has one key, spelled as the property is.
    @Test func everyPropertyHasAKey() {
        let properties = Mirror(reflecting: TrainingConfiguration()).children.compactMap(\.label)
        let keys = TrainingConfiguration.keys
        #expect(Set(keys.map { $0.name.replacing("_", with: "") }) == Set(properties.map { $0.lowercased() }))
        #expect(keys.count == properties.count && Set(keys.map { $0.path as AnyKeyPath }).count == keys.count)
        for group in keys where !group.members.isEmpty {
            let value = TrainingConfiguration()[keyPath: group.path]
            #expect(group.members == Mirror(reflecting: value).children.compactMap(\.label))
        }
        for key in keys { #expect(!key.meaning.isEmpty && !key.meaning.contains("\n"), "\(key.name)") }
    }

    /// A key takes its own property's value from YAML and leaves all others alone.
    @Test func everyKeyReadsItsProperty() throws {
        // One of these is a value of any kind.
        let texts = [
            "7", "64", "0.5", "true", "false", "a.h5", "dsb2017", "allreduce", "bfloat16", "off", "cosine", "adamw",
            "dense", "published", "constant", "cpm-net",
        ]
        // What there is one of cannot change.
        var single: [PartialKeyPath<TrainingConfiguration>] = []
        if Architecture.allCases.count == 1 { single.append(\.network) }
        if RecipeName.allCases.count == 1 { single.append(\.recipe) }
        for key in TrainingConfiguration.keys where key.members.isEmpty && !single.contains(key.path) {
            let source = ConfigurationSource(file: "test")
            let before = TrainingConfiguration()
            let changes = texts.compactMap { text -> TrainingConfiguration? in
                var after = before
                let node = (try? compose(yaml: text)) ?? Node("")
                guard (try? key.read(node, source, &after)) != nil, after != before else { return nil }
                return after
            }
            #expect(!changes.isEmpty, "\(key.name)")
            for after in changes {
                let changed = TrainingConfiguration.keys.filter { $0.yaml(after) != $0.yaml(before) }
                #expect(changed.map(\.name) == [key.name])
            }
        }
    }

    /// What belongs together is listed beside the key, and every rule is about a key.
    @Test func listsNameWhatAKeyNeeds() throws {
        let lines = TrainingConfiguration().yaml(explained: true).split(separator: "\n")
        func line(_ key: String) throws -> Substring { try #require(lines.first { $0.hasPrefix("\(key): ") }) }
        #expect(lines.count == TrainingConfiguration.keys.count)
        #expect(try line("gradient_exchange").hasSuffix("half the traffic; reduction: tree only"))
        #expect(try line("outer_momentum").hasSuffix("; local_steps only"))
        #expect(try line("threads").hasSuffix("(1 to 4096)"))
        #expect(try line("preset").contains("; luna: the best known here; luna16: "))
        #expect(try line("schedule").contains("; cosine: half a wave down to zero"))
        for rule in TrainingConfiguration.rules {
            #expect(TrainingConfiguration.keys.contains { $0.path == rule.path })
            _ = rule.need()
        }
    }

    /// The rank counts that launchers are told are those that the reduction takes.
    @Test func rankCountsAreThoseThatWork() {
        for mode in ReductionMode.allCases {
            for replicas in [1, 2, 6, 8, 12, 16] {
                var configuration = TrainingConfiguration()
                (configuration.reduction, configuration.replicas) = (mode, replicas)
                let working = (1...2 * replicas).filter { ranks in
                    (try? GradientReduction.check(mode, replicas: replicas, ranks: ranks)) != nil
                }
                #expect(configuration.rankCounts == working, "\(mode) \(replicas)")
            }
        }
    }

    private struct Sample: Equatable {
        var sizes = [5.0, 10]
        var choice: Choice?
        var factor: Double? = 2

        enum Choice: String, CaseIterable { case one, two }

        static let keys: [ConfigurationKey<Sample>] = [
            .init("sizes", \.sizes, .list(1...3, of: .positive), .fixed, "of anchors"),
            .init("choice", \.choice, .optional(.choice), .fixed, "whichever"),
            .init("factor", \.factor, .optional(.number(1...)), .free, "of growth"),
        ]

        init(_ yaml: String) throws {
            let mapping = try #require(try compose(yaml: yaml)?.mapping)
            try Self.keys.read(mapping, ConfigurationSource(file: "sample"), into: &self)
        }
    }

    private func message(_ yaml: String) -> String {
        do {
            let sample = try Sample(yaml)
            let fault = Sample.keys.lazy.compactMap { $0.fault(sample) }.first
            return fault.map { "\($0.key): \($0.text)" } ?? "accepted"
        } catch { return "\(error)" }
    }

    @Test func listsChoicesAndNulls() throws {
        let sample = try Sample("sizes: [3, 4.5]\nchoice: two\nfactor: null")
        #expect(sample.sizes == [3, 4.5] && sample.choice == .two && sample.factor == nil)
        #expect(Sample.keys.map { $0.yaml(sample) } == ["[3.0, 4.5]", "two", "null"])
        #expect(message("choice: null") == "accepted")
        #expect(message("choice: three") == "sample: line 1, choice: three, expected one or two or null")
        #expect(message("sizes: 3").contains("sizes: 3, expected a list in brackets, each a number"))
        #expect(message("sizes: [a]").contains("sizes: a list, expected a list in brackets, each a number"))
        #expect(message("sizes: []") == "sizes: [], expected 1 to 3 values in brackets, each a positive number")
        #expect(message("sizes: [1, 0]").hasPrefix("sizes: [1.0, 0.0], expected 1 to 3 values"))
        #expect(message("factor: 0.5") == "factor: 0.5, expected 1 or more or null")
        #expect(message("sises: [1]") == "sample: line 1: unknown key sises; did you mean sizes?")
    }
}
