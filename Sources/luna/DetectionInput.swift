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
    ///   - fold: Of a data set; by default the fold that no network was trained on.
    ///   - heldOut: The fold that each network was not trained on; nil where it is not known.
    ///   - mask: The lung mask of the one scan.
    ///   - series: Of a folder of DICOM.
    ///   - acquisition: Of a series that holds several.
    ///   - note: Told what a person should know of the scans.
    /// - Throws: `InputError`, `UsageError`, `FileError`.
    init(
        _ input: String, fold: Int?, heldOut: [Int?], mask: String?, segmentLungs: Bool, series: String?,
        acquisition: String? = nil, note: @escaping (String) -> Void
    ) throws {
        let hasScans = try FileContent.isDirectory(input) && LUNA16Layout.holdsScans(input)
        let isDataset =
            FileContent.size("\(input)/dataset.json") != nil || !hasScans && FileContent.isDirectory("\(input)/volumes")
        // Whoever names a fold means the data set.
        if isDataset, hasScans, fold == nil {
            throw InputError(
                input, "holds a data set (dataset.json) and scans as they come from a scanner",
                remedy: "add --fold to search the data set's clean volumes, or give the folder of the scans")
        }
        let isClean = isDataset || input.hasSuffix(".h5")
        if isClean, mask != nil || segmentLungs || series != nil || acquisition != nil {
            throw UsageError(
                "--mask, --segment-lungs, --series and --acquisition are for scans as they come from the scanner; "
                    + "\(input) holds clean volumes")
        }
        if !isDataset, fold != nil { throw UsageError("--fold chooses scans of a data set; \(input) is none") }
        if isDataset {
            let fold = try fold ?? Self.common(heldOut)
            scans = PendingScan.scans(of: try PatchDataset(directory: input), fold: fold)
            if scans.isEmpty { throw InputError(input, "has no scan in fold \(fold)") }
        } else if isClean {
            scans = [try PendingScan(cleanVolume: input)]
        } else {
            let source = try ScanSource(input, masks: mask, series: series, acquisition: acquisition, note: note)
            scans = try Self.scans(source, segmentLungs: segmentLungs, note: note)
        }
    }

    /// The fold that none of the networks was trained on.
    private static func common(_ heldOut: [Int?]) throws -> Int {
        let add = "add --fold 0 to \(LUNA16Layout.foldCount - 1)"
        let folds = Set(heldOut.compactMap(\.self)).sorted()
        if folds.count > 1 {
            throw UsageError(
                "the weights hold out different folds (\(folds.map(String.init).joined(separator: ", "))), so that "
                    + "each scan has been learnt by some of them: join them for new scans, or \(add)")
        }
        guard let fold = folds.first, !heldOut.contains(nil) else {
            throw UsageError("the weights do not say which fold was held out; \(add)")
        }
        return fold
    }

    /// The scans of a folder or file that comes from a scanner.
    private static func scans(
        _ source: ScanSource, segmentLungs: Bool, note: (String) -> Void
    ) throws -> [PendingScan] {
        source.layout.scans.map { scan in
            do {
                let maskPath = try source.layout.maskPath(for: scan, segmentingLungs: segmentLungs)
                if maskPath == nil { note("\(scan.seriesUID): no lung mask; luna segments the lungs") }
                let files = try source.files(of: scan) + (maskPath.map { try ScanFile(path: $0).files } ?? [])
                return PendingScan(seriesUID: scan.seriesUID, extent: try source.extent(of: scan), files: files) {
                    let volume =
                        if let read = source.readScan {
                            try Preprocessing.cleanVolume(read(scan), maskPath: maskPath, seriesUID: scan.seriesUID)
                        } else {
                            try Preprocessing.cleanVolume(
                                scanPath: scan.path, maskPath: maskPath, seriesUID: scan.seriesUID)
                        }
                    // The rank that reads the scan warns of it.
                    for warning in volume.warnings {
                        FileHandle.standardError.write(Data("warning: \(scan.seriesUID): \(warning)\n".utf8))
                    }
                    return volume
                }
            } catch { return PendingScan(seriesUID: scan.seriesUID, failure: error) }
        }
    }
}
