import Basics
import CT
import DICOM
import FileIO
import Foundation
import Inference
import PatchData

/// The scans to be searched, as `luna detect --input` names them.
struct DetectionInput {
    let scans: [PendingScan]

    /// - Parameters:
    ///   - fold: Of a data set; by default `heldOut`, the fold that the weights were not trained on.
    ///   - mask: The lung mask of the one scan.
    ///   - series: Of a folder of DICOM.
    ///   - note: Told what a person should know of the scans.
    /// - Throws: `InputError`, `UsageError`, `FileError`.
    init(
        _ input: String, fold: Int?, heldOut: Int?, mask: String?, segmentLungs: Bool, series: String?,
        note: @escaping (String) -> Void
    ) throws {
        let isDataset = FileContent.size("\(input)/dataset.json") != nil || FileContent.isDirectory("\(input)/volumes")
        let isClean = isDataset || input.hasSuffix(".h5")
        if isClean, mask != nil || segmentLungs || series != nil {
            throw UsageError(
                "--mask, --segment-lungs and --series are for scans as they come from the scanner; "
                    + "\(input) holds clean volumes")
        }
        if !isDataset, fold != nil { throw UsageError("--fold chooses scans of a data set; \(input) is none") }
        if isDataset {
            guard let fold = fold ?? heldOut else {
                throw UsageError(
                    "the weights do not say which fold was held out; add --fold 0 to \(LUNA16Layout.foldCount - 1)")
            }
            scans = PendingScan.scans(of: try PatchDataset(directory: input), fold: fold)
            if scans.isEmpty { throw InputError(input, "has no scan in fold \(fold)") }
        } else if isClean {
            scans = [try PendingScan(cleanVolume: input)]
        } else {
            scans = try Self.scans(input, mask: mask, segmentLungs: segmentLungs, series: series, note: note)
        }
    }

    /// The scans of a folder or file that comes from a scanner.
    private static func scans(
        _ input: String, mask: String?, segmentLungs: Bool, series: String?, note: @escaping (String) -> Void
    ) throws -> [PendingScan] {
        let source = try ScanSource(input, masks: mask, series: series, note: note)
        return source.layout.scans.map { scan in
            do {
                let maskPath = try source.layout.maskPath(for: scan, segmentingLungs: segmentLungs)
                if maskPath == nil { note("\(scan.seriesUID): no lung mask; luna segments the lungs") }
                let files = try source.files(of: scan) + (maskPath.map { try ScanFile(path: $0).files } ?? [])
                return PendingScan(seriesUID: scan.seriesUID, extent: try source.extent(of: scan), files: files) {
                    guard let read = source.readScan else {
                        return try Preprocessing.cleanVolume(
                            scanPath: scan.path, maskPath: maskPath, seriesUID: scan.seriesUID)
                    }
                    return try Preprocessing.cleanVolume(read(scan), maskPath: maskPath, seriesUID: scan.seriesUID)
                }
            } catch { return PendingScan(seriesUID: scan.seriesUID, failure: error) }
        }
    }
}
