import Basics
import CT
import DICOM
import FileIO

/// The scans of `--input`, and how to read them where they are no `ScanFile`: an input that is not laid out as LUNA16
/// can be a folder of DICOM. A folder that holds both is refused.
struct ScanSource: Sendable {
    let layout: LUNA16Layout
    /// The reading of a scan; nil where the scans are `ScanFile`s.
    let readScan: (@Sendable (LUNA16Layout.Scan) throws -> ScanVolume)?
    private let geometry: VolumeGeometry?
    /// The files of the one scan that is no `ScanFile`.
    private let slices: [String]

    /// - Parameters:
    ///   - series: The one to take of a folder of DICOM that holds several.
    ///   - acquisition: The one to take of a series that holds several.
    ///   - note: Told what of a folder is left out, and what is odd about the rest.
    /// - Throws: `InputError`, `UsageError`, `FileError`.
    init(
        _ input: String, annotations: String? = nil, masks: String? = nil, series: String?, acquisition: String? = nil,
        note: (String) -> Void
    ) throws {
        let choosesDICOM = series != nil || acquisition != nil
        if try LUNA16Layout.holdsScans(input) {
            let slices = Self.slices(beside: input, isDeep: choosesDICOM)
            if !choosesDICOM {
                let found = try LUNA16Layout(directory: input, annotations: annotations, masks: masks)
                if let slices {
                    throw InputError(
                        input, "holds \(Path.name(of: found.scans[0].path)) and \(slices)",
                        remedy: "give the path of the file, or the slices in a folder of their own; "
                            + "--series UID takes the slices")
                }
                (layout, readScan, geometry, self.slices) = (found, nil, nil, [])
                return
            }
            if slices == nil {
                throw UsageError(
                    "--series and --acquisition choose among DICOM slices; \(input) holds other scans")
            }
        }
        guard let found = try DICOMSeries(folder: input, uid: series, acquisition: acquisition) else {
            // Nothing of either kind: the layout says what is there instead.
            layout = try LUNA16Layout(directory: input, annotations: annotations, masks: masks)
            (readScan, geometry, slices) = (nil, nil, [])
            return
        }
        if !found.notes.isEmpty { note("\(input): left out: \(found.notes.joined(separator: ", "))") }
        for warning in found.warnings { note("warning: \(input): \(warning)") }
        layout = try LUNA16Layout(seriesUID: found.uid, at: input, annotations: annotations, masks: masks)
        readScan = { _ in try found.scanVolume() }
        geometry = found.geometry
        slices = found.files
    }

    /// Describes the CT slices in a folder of other scans; nil where there are none. Folders in a data set's are not
    /// looked through unless slices are asked for: beside LUNA16 there may be an archive of what it was made from.
    private static func slices(beside input: String, isDeep: Bool) -> String? {
        guard FileContent.isDirectory(input) else { return nil }
        let isPlain = (try? LUNA16Layout.isPlain(input)) ?? false
        // What cannot be looked through is no second reading.
        return try? DICOMSeries.description(of: input, isDeep: isDeep || isPlain)
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

    /// The finding of the place of a scan's voxels; nil where the scans are `ScanFile`s.
    var readGeometry: (@Sendable (LUNA16Layout.Scan) throws -> VolumeGeometry)? {
        guard let geometry else { return nil }
        return { _ in geometry }
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
