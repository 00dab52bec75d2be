import Basics
import CT
import DICOM
import FileIO

/// The scans of `--input`, and how to read them where they are no `ScanFile`: an input that is not laid out as LUNA16
/// can be a folder of DICOM.
struct ScanSource: Sendable {
    let layout: LUNA16Layout
    /// The reading of a scan; nil where the scans are `ScanFile`s.
    let readScan: (@Sendable (LUNA16Layout.Scan) throws -> ScanVolume)?
    private let geometry: VolumeGeometry?
    /// The files of the one scan that is no `ScanFile`.
    private let slices: [String]

    /// - Parameters:
    ///   - series: The one to take of a folder of DICOM that holds several.
    ///   - note: Told what of a folder is left out.
    /// - Throws: `InputError`, `UsageError`, `FileError`.
    init(
        _ input: String, annotations: String? = nil, masks: String? = nil, series: String?, note: (String) -> Void
    ) throws {
        do {
            let found = try LUNA16Layout(directory: input, annotations: annotations, masks: masks)
            if series != nil { throw UsageError("--series chooses among DICOM series; \(input) holds other scans") }
            (layout, readScan, geometry, slices) = (found, nil, nil, [])
        } catch let error as InputError {
            guard let found = try DICOMSeries(folder: input, uid: series) else { throw error }
            if !found.notes.isEmpty { note("\(input): left out: \(found.notes.joined(separator: ", "))") }
            layout = try LUNA16Layout(seriesUID: found.uid, at: input, annotations: annotations, masks: masks)
            readScan = { _ in try found.scanVolume() }
            geometry = found.geometry
            slices = found.files
        }
    }

    /// Adds all files of scans and masks to what a command reads.
    ///
    /// - Parameters:
    ///   - input: The option `--input`'s value.
    ///   - masks: That of `option`.
    static func plan(_ plan: inout OutputPlan, input: String, masks: String?, _ option: String) {
        for (path, name) in [(input, "--input"), (masks, option)] {
            guard let path else { continue }
            plan.read(path, as: name)
            // A header may name a file of voxels that is anywhere.
            if FileContent.size(path) != nil, let scan = try? ScanFile(path: path) {
                for file in scan.files where file != path { plan.read(file, as: name) }
            }
        }
    }

    /// The files that a scan is made of.
    ///
    /// - Throws: What reading its header throws.
    func files(of scan: LUNA16Layout.Scan) throws -> [String] {
        readScan == nil ? try ScanFile(path: scan.path).files : slices
    }

    /// The number of voxels along each axis that a scan has at 1 mm, approximately, before everything but the lungs is
    /// cut off.
    ///
    /// - Throws: What reading its header throws.
    func extent(of scan: LUNA16Layout.Scan) throws -> ZYX<Int> {
        let geometry = try geometry ?? ScanFile(path: scan.path).geometry
        return geometry.extent.zip(geometry.spacing) { max(1, Int(min(Double($0) * $1, 4096))) }
    }
}
