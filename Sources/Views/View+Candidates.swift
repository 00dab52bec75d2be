import Basics
import CT
import Evaluation
import FileIO
import Foundation
import PatchData
import Pictures

/// A scan's candidates beside its nodules, by LUNA16's rule: a candidate closer to a nodule's middle than its radius
/// hits it.
public struct CandidateReview: Sendable {
    /// The scan's clean volume.
    public let volume: CleanVolume
    /// The scan's candidates, most probable first; ties in the given order.
    public let candidates: [Candidate]
    private let findings: [Finding]

    /// Judges the candidates of one scan.
    ///
    /// - Parameters:
    ///   - volume: The scan's clean volume, with its nodules.
    ///   - candidates: Candidates of any scans; those of other scans are ignored.
    public init(_ volume: CleanVolume, _ candidates: [Candidate]) {
        self.volume = volume
        self.candidates = candidates.filter { $0.seriesUID == volume.seriesUID }.enumerated().sorted {
            ($1.element.probability, $0.offset) < ($0.element.probability, $1.offset)
        }.map(\.element)
        findings = volume.nodules.map {
            let point = volume.frame.world($0.center)
            return Finding(
                seriesUID: volume.seriesUID, x: point.x, y: point.y, z: point.z, diameter: $0.diameter)
        }
    }

    /// The nodule that a candidate hits, as an index into the volume's.
    public func hit(_ candidate: Candidate) -> Int? { findings.firstIndex { $0.isHit(by: candidate) } }

    /// The most probable candidate that hits a nodule, as an index into `candidates`.
    public func finder(of nodule: Int) -> Int? { candidates.firstIndex { findings[nodule].isHit(by: $0) } }

    /// The width of strips in voxels, and their pixels for each voxel.
    static let (window, scale) = (48, 4)

    /// Three slices of 48 mm through a candidate: circled green where it hits a nodule, red where not. Other nodules
    /// that the slices cut are dashed.
    public func strip(_ candidate: Candidate) -> Picture {
        let hit = hit(candidate)
        return strip(
            through: voxel(candidate), diameter: candidate.diameter ?? 10,
            hit == nil ? Marks.falsePositive : Marks.hit, besides: hit, dashed: false)
    }

    /// Three slices of 48 mm through a nodule, circled with dashes. Other nodules that the slices cut are dashed, too.
    public func strip(nodule index: Int) -> Picture {
        let nodule = volume.nodules[index]
        return strip(
            through: nodule.center, diameter: nodule.diameter, Marks.nodule, besides: index, dashed: true)
    }

    /// Three slices of 48 mm through a candidate of a scan whose nodules nobody has marked.
    func unjudgedStrip(_ candidate: Candidate) -> Picture {
        strip(
            through: voxel(candidate), diameter: candidate.diameter ?? 10, Marks.finding, besides: nil, dashed: false)
    }

    private func voxel(_ c: Candidate) -> ZYX<Double> {
        volume.frame.cleanVoxel(WorldPoint(x: c.x, y: c.y, z: c.z)).map { min(max($0, -1e6), 1e6) }
    }

    private func strip(
        through point: ZYX<Double>, diameter: Double, _ color: Color, besides hit: Int?, dashed: Bool
    ) -> Picture {
        let grid = VoxelGrid(volume)
        return Picture.row(
            Plane.allCases.map { plane in
                var panel = Panel(
                    grid, plane, through: point, window: Self.window, scale: Self.scale, smooth: true)
                for (index, nodule) in volume.nodules.prefix(View.noduleLimit).enumerated() where index != hit {
                    panel.circle(center: nodule.center, diameter: nodule.diameter, Marks.nodule, dashed: true)
                }
                panel.circle(center: point, diameter: diameter, color, dashed: dashed)
                panel.name()
                panel.scaleBar(10)
                return panel.picture
            }, gap: 4)
    }

    /// A page of the most probable candidates, then of the nodules that none of them hits.
    ///
    /// - Throws: `InputError` where there is neither.
    public func page(top: Int, source: String) throws -> Picture {
        let shown = candidates.prefix(top)
        let hits = shown.map(hit)
        var tiles = shown.enumerated().map { index, candidate in
            let size = candidate.diameter.map { "\(Caption.millimetres($0)) mm" } ?? "size unknown"
            let verdict =
                hits[index].map {
                    "hits nodule \($0 + 1)" + (finder(of: $0) == index ? "" : " again")
                } ?? "false positive"
            return ContactSheet.Tile(
                strip(candidate),
                caption: "\(index + 1). p \(Decimal.probability(candidate.probability)), \(size), \(verdict)\n"
                    + Caption.place(WorldPoint(x: candidate.x, y: candidate.y, z: candidate.z)),
                color: hits[index] == nil ? Marks.falsePositive : Marks.hit)
        }
        for index in volume.nodules.prefix(View.noduleLimit).indices {
            let finder = finder(of: index)
            if let finder, finder < shown.count { continue }
            let verdict = finder.map {
                "found by candidate \($0 + 1), p \(Decimal.probability(candidates[$0].probability))"
            }
            tiles.append(
                ContactSheet.Tile(
                    strip(nodule: index),
                    caption: "nodule \(index + 1), \(Caption.millimetres(volume.nodules[index].diameter)) mm, "
                        + "\(verdict ?? "missed")\n"
                        + Caption.place(volume.frame.world(volume.nodules[index].center)),
                    color: Marks.nodule))
        }
        guard !tiles.isEmpty else {
            throw InputError(
                source, "names no candidate of \(volume.seriesUID), which has no nodule: there is nothing to draw")
        }
        return ContactSheet(
            title: "\(volume.seriesUID)\nthe first \(shown.count) of \(Caption.count(candidates.count, "candidate")), "
                + Caption.count(volume.nodules.count, "nodule"),
            legend: """
                green: hits a nodule (closer to its middle than its radius); red: false positive, or on a finding that \
                does not count; dashed: nodule. A candidate of unknown size has a circle of 10 mm.
                """, tiles: tiles
        ).picture()
    }
}

extension View {
    /// Pages of the candidates of one scan each, for the first scans of a data set that a list of candidates names.
    ///
    /// - Returns: No view where it names none of them.
    public static func candidates(
        _ candidates: [Candidate], in dataset: PatchDataset, top: Int, scans: Int, source: String
    ) -> [View] {
        let byScan = Dictionary(grouping: candidates, by: \.seriesUID)
        return dataset.volumes().filter { byScan[$0.seriesUID] != nil }.prefix(scans).map { entry in
            View("\(entry.seriesUID)-candidates") {
                let volume = try CleanVolumeFile.read(entry.path)
                return try page(volume, byScan[entry.seriesUID] ?? [], top: top, source: source, file: entry.path)
            }
        }
    }

    /// The page of one volume's candidates.
    public static func candidates(
        _ candidates: [Candidate], in volume: CleanVolume, top: Int, source: String, file: String
    ) -> [View] {
        [
            View("\(volume.seriesUID)-candidates") {
                try page(volume, candidates, top: top, source: source, file: file)
            }
        ]
    }

    private static func page(
        _ volume: CleanVolume, _ candidates: [Candidate], top: Int, source: String, file: String
    ) throws -> Picture {
        try requireViewable(volume.extent, file: file, at: "/volume")
        return try CandidateReview(volume, candidates).page(top: top, source: source)
    }
}
