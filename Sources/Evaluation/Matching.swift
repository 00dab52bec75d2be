// LUNA16's rules for what a candidate counts as; A. Setio et al., "Validation, comparison, and combination of
// algorithms for automatic detection of pulmonary nodules in CT images: the LUNA16 challenge", Medical Image Analysis
// 2017.

/// A mark that enters the ROC analysis: a detected nodule, or a false positive.
struct Mark: Hashable, Sendable {
    /// The scan, as an index into the reference's.
    var scan: Int
    var probability: Double
    /// Whether it is a detected nodule; a false positive otherwise.
    var isNodule: Bool
}

/// The numbers of what became of candidates and nodules.
public struct MatchCounts: Hashable, Sendable {
    /// The scans of the reference.
    public var scans = 0
    /// The nodules in them.
    public var nodules = 0
    /// The nodules that a candidate hits.
    public var detected = 0
    /// The candidates that hit nothing.
    public var falsePositives = 0
    /// The candidates on excluded findings.
    public var irrelevant = 0
    /// The further hits on nodules that were hit already.
    public var double = 0
    /// The candidates dropped beyond the first hundred of their scan.
    public var beyondLimit = 0
}

/// A nodule of the reference, and what became of it.
public struct NoduleOutcome: Hashable, Sendable {
    /// The nodule.
    public var nodule: Finding
    /// The most probable candidate that hits it; nil where none does.
    public var hit: Candidate?
}

/// Candidates matched with the reference.
public struct Matching: Sendable {
    /// The numbers of what became of candidates and nodules.
    public private(set) var counts = MatchCounts()
    /// The detected nodules and false positives, by descending probability.
    private(set) var marks: [Mark] = []
    /// The number of nodules of each scan, detected or not.
    private(set) var nodulesByScan: [Int]
    /// Every nodule of the scans, by scan.
    public private(set) var outcomes: [NoduleOutcome] = []
    /// The nodules that no candidate hits.
    public var missed: [Finding] { outcomes.filter { $0.hit == nil }.map(\.nodule) }
    /// The false positives, most confident first.
    public private(set) var falsePositives: [Candidate] = []
    /// The series of candidates and nodules that are no scan of the reference, by identifier.
    public private(set) var unknownSeries: [String] = []
    /// The number of scans without any candidate.
    public private(set) var scansWithoutCandidates = 0

    /// The number of candidates of each scan that count.
    private(set) var candidatesByScan: [Int] = []
    /// The mean number of candidates that count in a scan; 0 without scans.
    public var meanCandidates: Double {
        candidatesByScan.isEmpty ? 0 : Double(candidatesByScan.reduce(0, +)) / Double(candidatesByScan.count)
    }
    /// The largest number of candidates that count in a scan.
    public var mostCandidates: Int { candidatesByScan.max() ?? 0 }
    /// The number of scans that have a nodule.
    public var scansWithNodules: Int { nodulesByScan.count { $0 > 0 } }

    /// The number of candidates that count in a scan.
    static let limit = 100

    /// Matches candidates with the nodules of their scans, by LUNA16's rules.
    public init(_ candidates: [Candidate], _ reference: ReferenceStandard) {
        var index: [String: Int] = [:]
        for (place, scan) in reference.scans.enumerated() { index[scan] = place }
        func grouped<Item>(_ items: [Item], _ name: (Item) -> String) -> [[Item]] {
            var groups = [[Item]](repeating: [], count: reference.scans.count)
            for item in items { if let scan = index[name(item)] { groups[scan].append(item) } }
            return groups
        }
        let byScan = grouped(candidates, \.seriesUID)
        let nodules = grouped(reference.nodules, \.seriesUID)
        let excluded = grouped(reference.excluded, \.seriesUID)
        nodulesByScan = nodules.map(\.count)
        let named = candidates.map(\.seriesUID) + reference.nodules.map(\.seriesUID)
        unknownSeries = Set(named).filter { index[$0] == nil }.sorted()
        scansWithoutCandidates = byScan.count { $0.isEmpty }
        counts.scans = reference.scans.count

        for scan in reference.scans.indices {
            let kept = Self.mostConfident(byScan[scan])
            counts.beyondLimit += byScan[scan].count - kept.count
            candidatesByScan.append(kept.count)
            match(kept, nodules[scan], excluded[scan], scan: scan)
        }
        // Ties in the original order, so that the result does not depend on the sort.
        marks = marks.enumerated().sorted {
            ($1.element.probability, $0.offset) < ($0.element.probability, $1.offset)
        }.map(\.element)
        falsePositives = falsePositives.enumerated().sorted {
            ($1.element.probability, $0.offset) < ($0.element.probability, $1.offset)
        }.map(\.element)
    }

    /// Limits a scan's candidates: of more than 100, those strictly more probable than the 101st are left.
    static func mostConfident(_ candidates: [Candidate]) -> [Candidate] {
        guard candidates.count > limit else { return candidates }
        let threshold = candidates.map(\.probability).sorted(by: >)[limit]
        return candidates.filter { $0.probability > threshold }
    }

    private mutating func match(_ candidates: [Candidate], _ nodules: [Finding], _ excluded: [Finding], scan: Int) {
        var isInPool = [Bool](repeating: true, count: candidates.count)
        for nodule in nodules {
            counts.nodules += 1
            let hits = candidates.indices.filter { nodule.isHit(by: candidates[$0]) }
            for hit in hits { isInPool[hit] = false }
            counts.double += max(0, hits.count - 1)
            // Of equally probable hits, the first.
            let best = hits.max { (candidates[$0].probability, $1) < (candidates[$1].probability, $0) }
            outcomes.append(NoduleOutcome(nodule: nodule, hit: best.map { candidates[$0] }))
            guard let best else { continue }
            counts.detected += 1
            marks.append(Mark(scan: scan, probability: candidates[best].probability, isNodule: true))
        }
        for finding in excluded {
            for hit in candidates.indices where isInPool[hit] && finding.isHit(by: candidates[hit]) {
                isInPool[hit] = false
                counts.irrelevant += 1
            }
        }
        for index in candidates.indices where isInPool[index] {
            counts.falsePositives += 1
            marks.append(Mark(scan: scan, probability: candidates[index].probability, isNodule: false))
            falsePositives.append(candidates[index])
        }
    }
}
