import Basics
import CT
import FileIO

/// A check that the parts of a data set agree: what `dataset.json` counts, what the clean volumes hold, and what the
/// shards say of their patches. Each file is known to be whole before.
struct DatasetConsistency {
    /// The diameters of all nodules in mm, ascending.
    private(set) var diameters: [Double] = []

    private let directory: String
    private let manifest: DatasetManifest
    private struct Scan {
        var fold: Int
        var extent: ZYX<Int>
        var nodules: [Nodule]
    }
    private var scans: [String: Scan] = [:]

    /// - Throws: `InputError` naming the file and what does not fit.
    init(_ dataset: PatchDataset) throws {
        directory = dataset.directory
        manifest = dataset.manifest
        try checkFolds()
        for fold in manifest.folds { for file in fold.volumes { try add(file, fold: fold.fold) } }
        try checkPatches(dataset.patches)
        diameters = scans.values.flatMap { $0.nodules.map(\.diameter) }.sorted()
    }

    private func fault(_ place: String, _ problem: String) -> InputError {
        InputError(
            DatasetManifest.path(in: directory), at: place, problem,
            remedy: "convert the scans again, into a new directory")
    }

    private func checkFolds() throws {
        var seen: Set<Int> = []
        for fold in manifest.folds {
            let place = "fold \(fold.fold)"
            guard 0..<LUNA16Layout.foldCount ~= fold.fold, seen.insert(fold.fold).inserted else {
                throw fault(place, "is there twice, or not one of 0 to \(LUNA16Layout.foldCount - 1)")
            }
            guard fold.scans == fold.volumes.count else {
                throw fault(place, "counts \(fold.scans) scans and lists \(fold.volumes.count) volumes")
            }
            let nodules = fold.volumes.reduce(0) { $0 + $1.nodules }
            guard fold.nodules == nodules else {
                throw fault(place, "counts \(fold.nodules) nodules, its volumes \(nodules)")
            }
            let patches = fold.shards.reduce(0) { $0 + ($1.patches ?? 0) }
            guard fold.patches == patches else {
                throw fault(place, "counts \(fold.patches) patches, its shards \(patches)")
            }
        }
    }

    /// Checks a volume and adds its scan; one that is in two folds would be both trained on and tested with.
    private mutating func add(_ file: DatasetManifest.File, fold: Int) throws {
        let path = "\(directory)/\(file.path)"
        let volume = try CleanVolumeFile.contents(path)
        guard volume.seriesUID == file.seriesuid, volume.nodules.count == file.nodules else {
            throw InputError(
                path,
                "holds \(volume.seriesUID) with \(volume.nodules.count) nodules, expected "
                    + "\(file.seriesuid ?? "") with \(file.nodules)", remedy: "remove it and run luna convert again")
        }
        if let other = scans[volume.seriesUID] {
            throw InputError(
                path, "series \(volume.seriesUID) is in fold \(fold) and in fold \(other.fold), expected in one",
                remedy: "remove one of the two scans and convert again, into a new directory")
        }
        for (index, nodule) in volume.nodules.enumerated() {
            let isInside = ZYX(0, 1, 2).array.allSatisfy {
                nodule.center[$0] >= -0.5 && nodule.center[$0] <= Double(volume.extent[$0]) - 0.5
            }
            guard isInside else {
                throw InputError(
                    path, at: "/nodules [\(index)]", "\(nodule.center) lies outside of \(volume.extent) voxels",
                    remedy: "remove it and run luna convert again")
            }
        }
        scans[volume.seriesUID] = Scan(fold: fold, extent: volume.extent, nodules: volume.nodules)
    }

    /// Every nodule has one patch of its own, in its scan's fold, and patches know of no other nodules.
    private func checkPatches(_ patches: [PatchEntry]) throws {
        var owners: [String: [Int]] = scans.mapValues { Array(repeating: 0, count: $0.nodules.count) }
        for (index, patch) in patches.enumerated() {
            let place = "patch \(index)"
            guard let scan = scans[patch.seriesUID], scan.fold == patch.fold, scan.extent == patch.volumeExtent else {
                throw fault(place, "is of scan \(patch.seriesUID), which fold \(patch.fold) does not have like that")
            }
            guard patch.nodules.allSatisfy(scan.nodules.contains) else {
                throw fault(place, "shows a nodule that its scan \(patch.seriesUID) does not have")
            }
            if let target = patch.target, let own = scan.nodules.firstIndex(of: patch.nodules[target]) {
                owners[patch.seriesUID]?[own] += 1
            }
        }
        for (series, counts) in owners.sorted(by: { $0.key < $1.key }) {
            // Nodules listed twice share the first one's count.
            let distinct = Set(scans[series]?.nodules ?? []).count
            guard counts.reduce(0, +) == counts.count, counts.count(where: { $0 > 0 }) == distinct else {
                throw fault("scan \(series)", "\(counts) patches around its nodules, expected one each")
            }
        }
    }
}
