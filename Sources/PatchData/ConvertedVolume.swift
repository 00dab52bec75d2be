import Basics
import CT
import FileIO

/// The facts about a converted scan that are known without its voxels.
struct ConvertedVolume: Sendable {
    var fold: Int
    var extent: ZYX<Int>
    var nodules: [Nodule]
    var outsideLabels: [DatasetManifest.OutsideLabel]
    var hasSegmentedLungs: Bool
    var warnings: [String]
    var file: DatasetManifest.File

    init(_ volume: CleanVolume, fold: Int, path: String, directory: String) throws {
        self.fold = fold
        extent = volume.extent
        nodules = volume.nodules
        hasSegmentedLungs = volume.hasSegmentedLungs
        warnings = volume.warnings
        outsideLabels = Self.labels(volume.outsideLabels, of: volume.seriesUID)
        let file = "\(directory)/\(path)"
        self.file = DatasetManifest.File(
            path: path, bytes: FileContent.size(file) ?? 0, crc32: try FileContent.crc32(file),
            seriesuid: volume.seriesUID, nodules: volume.nodules.count)
    }

    /// The facts about a volume whose file `dataset.json` describes.
    init(_ summary: CleanVolumeFile.Summary, fold: Int, file: DatasetManifest.File) {
        self.fold = fold
        self.file = file
        extent = summary.extent
        nodules = summary.nodules
        hasSegmentedLungs = summary.hasSegmentedLungs
        warnings = summary.warnings
        outsideLabels = Self.labels(summary.outsideLabels, of: summary.seriesUID)
    }

    var seriesUID: String { file.seriesuid ?? "" }

    private static func labels(
        _ annotations: [NoduleAnnotation], of seriesUID: String
    ) -> [DatasetManifest.OutsideLabel] {
        annotations.map {
            .init(seriesuid: seriesUID, x: $0.center.x, y: $0.center.y, z: $0.center.z, diameter: $0.diameter)
        }
    }
}
