import Basics
import CT
import DICOM
import FileIO

/// The refusal of what is none of luna's own files, with what it is and which command takes it.
enum ForeignInput {
    private static let remedy = "luna convert and luna detect take it as their --input"

    /// Refuses scans and runs, given to a command that reads data sets and HDF5 files.
    ///
    /// - Throws: `InputError` that says what the path holds; what reading a scan's header throws.
    static func refuse(_ path: String) throws {
        if FileContent.isDirectory(path) { return try refuse(folder: path) }
        guard FileContent.size(path) != nil else { return }
        if ScanFile.name(of: path) != nil {
            let scan = try ScanFile(path: path)
            let (extent, spacing) = (scan.geometry.extent, scan.geometry.spacing)
            throw InputError(
                path,
                "a scan as it comes from a scanner: \(scan.formatName), \(extent.x) x \(extent.y) x \(extent.z) voxels "
                    + "of \(spacing.x) x \(spacing.y) x \(spacing.z) mm, \(scan.elementType.rawValue)", remedy: remedy)
        }
        if (try? DICOMSeries.isDICOM(path)) ?? false {
            throw InputError(path, "one DICOM file", remedy: "give its folder to luna convert or luna detect")
        }
        if FileKind.description(of: path) == "a safetensors file" {
            throw InputError(path, "a safetensors file", remedy: "luna weights show and luna weights import take it")
        }
    }

    private static func refuse(folder: String) throws {
        guard FileContent.size("\(folder)/dataset.json") == nil else { return }
        if FileContent.isDirectory("\(folder)/checkpoints") || FileContent.size("\(folder)/metrics.jsonl") != nil {
            throw InputError(
                folder, "a run of luna train, not a data set",
                remedy: "luna status shows it; luna inspect takes the files in \(folder)/checkpoints")
        }
        if (try? LUNA16Layout.holdsScans(folder)) ?? false {
            throw InputError(folder, "a folder of scans as they come from a scanner, not a data set", remedy: remedy)
        }
        if let slices = try? DICOMSeries.description(of: folder, isDeep: true) {
            throw InputError(folder, "a folder with \(slices), not a data set", remedy: remedy)
        }
    }
}
