import Basics
import CT
import FileIO
import HDF5

/// The file format of a clean volume:
///
///     /volume           uint8 [z, y, x]     1 mm voxels, 170 outside the lungs
///     /nodules          float64 [n, 4]      z, y, x in voxels of /volume, diameter in mm
///     /outside_labels   float64 [m, 4]      annotations outside the volume: world x, y, z, diameter, mm
///
/// with the attributes `format`, `version`, `seriesuid` and those that lead back to world millimetres (`WorldFrame`):
/// `origin`, `scan_spacing`, `direction`, `scan_extent`, `crop_start`, each (z, y, x). A volume made without a lung
/// mask also has the attribute `lungs` with the value `segmented`, and one with something odd about its values the
/// attribute `warnings`, a sentence each.
public enum CleanVolumeFile {
    /// The attribute `format` by which such a file is known.
    public static let format = "luna-clean-volume"
    /// The attribute `version`, which this program writes and reads.
    public static let version: Int64 = 1

    /// Writes a clean volume durably, in one piece or not at all.
    ///
    /// - Parameters:
    ///   - volume: The volume.
    ///   - path: The file, which is replaced if it exists.
    ///   - source: A text that tells how the volume was made, such as the options of the conversion; kept as an
    ///     attribute.
    /// - Throws: `FileError`.
    public static func write(_ volume: CleanVolume, to path: String, source: String = "") throws {
        try HDF5File.write(to: path) { file in
            try file.setAttribute("format", to: format)
            try file.setAttribute("version", to: version)
            try file.setAttribute("source", to: source)
            try file.setAttribute("seriesuid", to: volume.seriesUID)
            try file.setAttribute("axis_order", to: "z, y, x")
            try file.setAttribute("voxel_mm", to: [1.0, 1.0, 1.0])
            if volume.hasSegmentedLungs { try file.setAttribute("lungs", to: "segmented") }
            if !volume.warnings.isEmpty { try file.setAttribute("warnings", to: volume.warnings) }
            let frame = volume.frame
            try file.setAttribute("origin", to: frame.origin.array)
            try file.setAttribute("scan_spacing", to: frame.spacing.array)
            try file.setAttribute("direction", to: frame.direction.array.map { Int64($0) })
            try file.setAttribute("scan_extent", to: frame.scanExtent.array.map { Int64($0) })
            try file.setAttribute("crop_start", to: frame.cropStart.array.map { Int64($0) })
            try file.write(
                "/volume", shape: volume.extent.array, values: volume.voxels, compression: .deflate(4))
            let nodules = volume.nodules.flatMap { $0.center.array + [$0.diameter] }
            try file.write("/nodules", shape: [volume.nodules.count, 4], values: nodules)
            let outside = volume.outsideLabels.flatMap { [$0.center.x, $0.center.y, $0.center.z, $0.diameter] }
            try file.write("/outside_labels", shape: [volume.outsideLabels.count, 4], values: outside)
        }
    }

    /// Reads a clean volume, checking every checksum.
    ///
    /// - Throws: `InputError` where the file is missing, damaged, or not a clean volume of a known version.
    public static func read(_ path: String) throws -> CleanVolume {
        let file = try open(path)
        let (shape, voxels) = try file.read("/volume", as: UInt8.self)
        guard shape.count == 3, !shape.contains(0) else {
            throw InputError(path, at: "/volume", "shape \(shape), expected three positive extents [z, y, x]")
        }
        var volume = CleanVolume(
            seriesUID: try file.attribute("seriesuid", as: String.self), extent: ZYX(shape[0], shape[1], shape[2]),
            voxels: voxels, frame: try frame(file), nodules: try nodules(file),
            outsideLabels: try outsideLabels(file))
        volume.hasSegmentedLungs = file.hasAttribute("lungs")
        volume.warnings = try warnings(file)
        return volume
    }

    /// Whether the file calls itself a clean volume.
    public static func isCleanVolume(_ file: borrowing HDF5File) -> Bool {
        (try? file.attribute("format", as: String.self)) == format
    }

    /// The facts that a clean volume's file keeps besides the voxels.
    struct Summary {
        /// The text that tells how the volume was made.
        var source: String
        var seriesUID: String
        var extent: ZYX<Int>
        var nodules: [Nodule]
        var outsideLabels: [NoduleAnnotation]
        var hasSegmentedLungs: Bool
        var warnings: [String]
    }

    private static func warnings(_ file: borrowing HDF5File) throws -> [String] {
        file.hasAttribute("warnings") ? try file.attribute("warnings", as: [String].self) : []
    }

    /// Reads all but the voxels.
    ///
    /// - Throws: `InputError` where the file is missing, damaged, or not a clean volume of a known version.
    static func summary(_ path: String) throws -> Summary {
        let contents = try contents(path)
        let file = try open(path)
        return Summary(
            source: try file.attribute("source", as: String.self), seriesUID: contents.seriesUID,
            extent: contents.extent, nodules: contents.nodules, outsideLabels: try outsideLabels(file),
            hasSegmentedLungs: file.hasAttribute("lungs"), warnings: try warnings(file))
    }

    /// The series that a clean volume was made from, and its extent in voxels.
    ///
    /// - Throws: `InputError` where the file is missing, damaged, or not a clean volume of a known version.
    public static func identity(_ path: String) throws -> (seriesUID: String, extent: ZYX<Int>) {
        let contents = try contents(path)
        return (contents.seriesUID, contents.extent)
    }

    /// All nodules that were marked in a scan, those outside its clean volume too, in world millimetres.
    ///
    /// - Throws: `InputError` where the file is missing, damaged, or not a clean volume of a known version.
    public static func annotations(_ path: String) throws -> [NoduleAnnotation] {
        let file = try open(path)
        let frame = try frame(file)
        return try nodules(file).map { NoduleAnnotation(center: frame.world($0.center), diameter: $0.diameter) }
            + outsideLabels(file)
    }

    /// The series, the extent in voxels and the nodules of a clean volume, without reading its voxels.
    static func contents(_ path: String) throws -> (seriesUID: String, extent: ZYX<Int>, nodules: [Nodule]) {
        let file = try open(path)
        let shape = try file.dataset("/volume").shape
        guard shape.count == 3, !shape.contains(0) else {
            throw InputError(path, at: "/volume", "shape \(shape), expected three positive extents [z, y, x]")
        }
        return (
            try file.attribute("seriesuid", as: String.self), ZYX(shape[0], shape[1], shape[2]), try nodules(file)
        )
    }

    private static func open(_ path: String) throws -> HDF5File {
        let file = try HDF5File(reading: path)
        try file.requireFormat(format, version: version)
        return file
    }

    private static func nodules(_ file: borrowing HDF5File) throws -> [Nodule] {
        let values = try file.read("/nodules", shape: [nil, 4], as: Double.self)
        let nodules = stride(from: 0, to: values.count, by: 4).map {
            Nodule(center: ZYX(values[$0], values[$0 + 1], values[$0 + 2]), diameter: values[$0 + 3])
        }
        for (index, nodule) in nodules.enumerated()
        where !nodule.center.array.allSatisfy({ abs($0) < 1e6 }) || !(nodule.diameter > 0 && nodule.diameter < 1e6) {
            throw InputError(file.path, at: "/nodules [\(index)]", "\(nodule.center), diameter \(nodule.diameter) mm")
        }
        return nodules
    }

    private static func outsideLabels(_ file: borrowing HDF5File) throws -> [NoduleAnnotation] {
        let values = try file.read("/outside_labels", shape: [nil, 4], as: Double.self)
        return stride(from: 0, to: values.count, by: 4).map {
            NoduleAnnotation(
                center: WorldPoint(x: values[$0], y: values[$0 + 1], z: values[$0 + 2]), diameter: values[$0 + 3])
        }
    }

    private static func frame(_ file: borrowing HDF5File) throws -> WorldFrame {
        let origin: ZYX<Double> = try axes(file, "origin") { $0.isFinite }
        let spacing: ZYX<Double> = try axes(file, "scan_spacing") { $0.isFinite && $0 > 0 }
        let direction: ZYX<Int64> = try axes(file, "direction") { $0 == 1 || $0 == -1 }
        let extent: ZYX<Int64> = try axes(file, "scan_extent") { $0 > 0 }
        let start: ZYX<Int64> = try axes(file, "crop_start") { $0 >= 0 }
        return WorldFrame(
            origin: origin, spacing: spacing, direction: direction.map { Int($0) }, scanExtent: extent.map { Int($0) },
            cropStart: start.map { Int($0) })
    }

    private static func axes<Scalar: HDF5Element>(
        _ file: borrowing HDF5File, _ name: String, where isValid: (Scalar) -> Bool
    ) throws -> ZYX<Scalar> {
        let values = try file.attribute(name, as: [Scalar].self)
        guard values.count == 3, values.allSatisfy(isValid) else {
            throw InputError(file.path, at: "attribute \(name)", "\(values), expected three valid numbers (z, y, x)")
        }
        return ZYX(values[0], values[1], values[2])
    }
}

extension HDF5File {
    /// Checks the attributes `format` and `version` that every file of ours begins with.
    ///
    /// - Throws: `InputError` saying what the file is instead.
    func requireFormat(_ format: String, version: Int64) throws {
        let found = try attribute("format", as: String.self)
        guard found == format else {
            throw InputError(path, at: "attribute format", "`\(found)`, expected `\(format)`")
        }
        let foundVersion = try attribute("version", as: Int64.self)
        guard foundVersion == version else {
            throw InputError(
                path, at: "attribute version", "\(foundVersion), expected \(version)",
                remedy: foundVersion > version ? "use a newer luna" : "convert the scans again")
        }
    }
}
