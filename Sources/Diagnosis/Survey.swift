// All ranks' facts, and the judgement over them: pure functions, whose input may be made up.

import Foundation
import MPI

/// The facts that are known of a job before it starts, and the judgement over them.
public struct Survey: Hashable, Sendable, Codable {
    /// The facts of all ranks, by rank.
    public var ranks: [RankFacts]
    /// The needs of the run that is to start, if one is.
    public var plan: RunPlan?
    /// The place that the run will write to, if there is one.
    public var place: RunPlace?

    /// Creates a survey of its parts.
    public init(ranks: [RankFacts], plan: RunPlan? = nil, place: RunPlace? = nil) {
        self.ranks = ranks
        self.plan = plan
        self.place = place
    }

    /// The facts of all ranks, by rank, on every rank. Collective.
    ///
    /// - Throws: `MPIError`.
    public static func gather(_ facts: RankFacts, _ communicator: any Communicator) throws -> [RankFacts] {
        let own = Array(try JSONEncoder().encode(facts))
        return try communicator.gather(own).map { try JSONDecoder().decode(RankFacts.self, from: Data($0)) }
    }

    /// All findings that deserve a word, the worst first.
    public var findings: [Finding] {
        let found =
            processorFindings + threadFindings + samenessFindings + arithmeticFindings + transportFindings
            + memoryFindings + speedFindings + fileFindings + planFindings
        return Finding.Severity.allCases.reversed().flatMap { severity in found.filter { $0.severity == severity } }
    }

    // MARK: - For the rules

    /// The hosts in order of their lowest ranks, with the facts of their ranks.
    var hosts: [(name: String, ranks: [RankFacts])] {
        var order: [String] = []
        var members: [String: [RankFacts]] = [:]
        for facts in ranks {
            if members[facts.host] == nil { order.append(facts.host) }
            members[facts.host, default: []].append(facts)
        }
        return order.map { ($0, members[$0] ?? []) }
    }

    /// The place of ranks in words: `ranks 0-3 on node1`, `ranks 0-1023 on 128 hosts (node1, node2, node3, …)`.
    func place(of numbers: some Sequence<Int>) -> String {
        let set = NumberSet(numbers)
        var names: [String] = []
        var seen: Set<String> = []
        let concerned = Set(set.numbers)
        for facts in ranks where concerned.contains(facts.rank) {
            if seen.insert(facts.host).inserted { names.append(facts.host) }
        }
        let hosts =
            names.count <= 3
            ? names.joined(separator: ", ")
            : "\(names.count) hosts (\(names.prefix(3).joined(separator: ", ")), …)"
        return "rank\(set.count == 1 ? "" : "s") \(set.summary) on \(hosts)"
    }

    /// The findings that observations come to; equal ones of several ranks become one.
    func merged(_ observations: [Observation]) -> [Finding] {
        var findings: [Finding] = []
        var places: [Finding: Int] = [:]
        var ranks: [[Int]] = []
        for observation in observations {
            let finding = Finding(
                severity: observation.severity, subject: observation.subject, ranks: NumberSet([]),
                seen: observation.what, remedy: observation.remedy)
            if let place = places[finding] {
                ranks[place] += observation.ranks
            } else {
                places[finding] = findings.count
                findings.append(finding)
                ranks.append(observation.ranks)
            }
        }
        for index in findings.indices {
            findings[index].ranks = NumberSet(ranks[index])
            findings[index].seen = "\(place(of: ranks[index])): \(findings[index].seen)"
        }
        return findings
    }

    /// A finding where not all ranks have the same value; ranks whose value is not known are left out.
    func difference(
        _ severity: Finding.Severity, _ subject: String, _ name: String, remedy: String,
        _ value: (RankFacts) -> String?
    ) -> [Finding] {
        var order: [String] = []
        var members: [String: [Int]] = [:]
        for facts in ranks {
            guard let own = value(facts) else { continue }
            if members[own] == nil { order.append(own) }
            members[own, default: []].append(facts.rank)
        }
        guard order.count > 1 else { return [] }
        var parts = order.prefix(3).map { "\($0) (\(place(of: members[$0] ?? [])))" }
        if order.count > 3 { parts.append("\(order.count - 3) more") }
        return [
            Finding(
                severity: severity, subject: subject, ranks: NumberSet([]),
                seen: "\(name): \(parts.joined(separator: ", "))", remedy: remedy)
        ]
    }
}

/// A number of bytes for people, in powers of 1,024.
func mebibytes(_ bytes: Int) -> String {
    bytes >= 10 << 30 ? "\(bytes >> 30) GiB" : bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
}

func fixed(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
