import Basics
import FileIO

/// The way from a scan and its lung mask to a clean volume: the preprocessing of the 2017 Data Science Bowl's winning
/// solution (grt123) for LUNA16.
public enum Preprocessing {
    /// The margin added to the lungs' bounding box at its low end, mm.
    static let marginBelow = 5
    /// The margin added to the lungs' bounding box at its high end, mm.
    static let marginAbove = 10
    /// The grey level above which what is near the lungs, but not in them, is bone.
    static let boneThreshold: UInt8 = 210
    /// The length, mm, beyond which no scan is a person's: a larger product of extent and spacing is a damaged header.
    static let extentLimit = 4096.0

    /// Reads a scan and its mask and cleans it.
    ///
    /// - Parameters:
    ///   - scanPath: A `ScanFile`, HU, of a chest: what has no air is refused.
    ///   - maskPath: A `ScanFile` of the same grid; labels 3 and 4 are the lungs. Where it is nil the lungs are
    ///     segmented.
    ///   - seriesUID: The scan's name.
    ///   - annotations: Its nodules.
    /// - Throws: `InputError` naming the file, the field and the remedy; `FileError` where reading fails.
    public static func cleanVolume(
        scanPath: String, maskPath: String?, seriesUID: String, annotations: [NoduleAnnotation] = []
    ) throws -> CleanVolume {
        let file = try ScanFile(path: scanPath)
        let direction = file.cleaningDirection
        // Before anything is read: headers that do not fit together, and a size that is no person's.
        let geometry = try file.geometry(along: direction)
        _ = try resampledExtent(geometry, source: scanPath)
        let mask = try maskPath.map { path in
            let maskFile = try ScanFile(path: path)
            try checkAgreement(
                scan: geometry, mask: maskFile.geometry(along: direction), maskSource: path, of: scanPath)
            try maskFile.checkPlace(of: file)
            return try maskFile.labels(along: direction)
        }
        if file.fitsInt16 {
            return try clean(file.read(as: Int16.self, along: direction), mask, seriesUID, annotations)
        } else {
            return try clean(file.read(as: Float.self, along: direction), mask, seriesUID, annotations)
        }
    }

    /// Cleans a scan that was read from other files than these, such as a folder of DICOM.
    ///
    /// - Parameters:
    ///   - scan: The voxels, HU, of a chest: what has no air is refused.
    ///   - maskPath: A `ScanFile` of the same grid; labels 3 and 4 are the lungs. Where it is nil the lungs are
    ///     segmented.
    ///   - seriesUID: The scan's name.
    ///   - annotations: Its nodules.
    /// - Throws: `InputError` naming the file, the field and the remedy; `FileError` where reading fails.
    public static func cleanVolume(
        _ scan: ScanVolume, maskPath: String?, seriesUID: String, annotations: [NoduleAnnotation] = []
    ) throws -> CleanVolume {
        let world = ZYX(1, 1, 1)
        func clean<Voxel: VoxelScalar>(_ volume: Volume<Voxel>) throws -> CleanVolume {
            let upright = try volume.reoriented(to: world)
            let source = upright.source.isEmpty ? seriesUID : upright.source
            let mask = try maskPath.map { path in
                let maskFile = try ScanFile(path: path)
                let geometry = try maskFile.geometry(along: world)
                try checkAgreement(scan: upright.geometry, mask: geometry, maskSource: path, of: source)
                try geometry.checkPlace(of: upright.geometry, source: path, scanSource: source)
                return try maskFile.labels(along: world)
            }
            return try Self.clean(upright, mask, seriesUID, annotations)
        }
        return switch scan {
        case .short(let volume): try clean(volume)
        case .float(let volume): try clean(volume)
        }
    }

    private static func clean<Voxel: VoxelScalar>(
        _ scan: Volume<Voxel>, _ mask: Volume<UInt8>?, _ seriesUID: String, _ annotations: [NoduleAnnotation]
    ) throws -> CleanVolume {
        let source = scan.source.isEmpty ? seriesUID : scan.source
        try ValueCheck.check(scan, source: source)
        let lungMask = try mask ?? LungSegmentation.segment(scan)
        let warnings = try ValueCheck.check(
            scan, mask: lungMask, source: lungMask.source.isEmpty ? source : lungMask.source)
        var clean = try cleanVolume(scan: scan, lungMask: lungMask, seriesUID: seriesUID, annotations: annotations)
        clean.hasSegmentedLungs = mask == nil
        clean.warnings = warnings
        return clean
    }

    /// Cleans a scan.
    ///
    /// - Parameters:
    ///   - scan: The voxels, HU.
    ///   - lungMask: A mask of the same grid; labels 3 and 4 are the lungs.
    ///   - seriesUID: The scan's name.
    ///   - annotations: Its nodules.
    /// - Throws: `InputError` where the grids differ, the orientation is not axis-aligned, the size is no person's, or
    ///   the mask is empty.
    public static func cleanVolume<Voxel: VoxelScalar>(
        scan: Volume<Voxel>, lungMask: Volume<UInt8>, seriesUID: String, annotations: [NoduleAnnotation] = []
    ) throws -> CleanVolume {
        let source = scan.source.isEmpty ? seriesUID : scan.source
        let geometry = scan.geometry
        let signs = try axisSigns(geometry, source: source)
        let flipped = signs != ZYX(1, 1, 1)
        let maskSource = lungMask.source.isEmpty ? seriesUID : lungMask.source
        try checkAgreement(scan: geometry, mask: lungMask.geometry, maskSource: maskSource, of: source)
        let resampled = try resampledExtent(geometry, source: source)
        let lungs = try LungMask(lungMask, flipped: flipped, seriesUID: seriesUID)

        let start = lungs.low.zip(geometry.spacing) { max(0, Int(Double($0) * $1) - marginBelow) }
        let end = ZYX(0, 1, 2).map { axis in
            min(resampled[axis], Int(Double(lungs.high[axis]) * geometry.spacing[axis]) + marginAbove)
        }
        let extent = end - start
        let voxels = CleanResampler(
            scan: scan, mask: lungMask, lungs: lungs, flipped: flipped, resampled: resampled, start: start,
            extent: extent
        ).voxels()

        let frame = WorldFrame(
            origin: geometry.origin, spacing: geometry.spacing, direction: signs, scanExtent: geometry.extent,
            cropStart: start)
        var clean = CleanVolume(seriesUID: seriesUID, extent: extent, voxels: voxels, frame: frame)
        for annotation in annotations {
            let center = frame.cleanVoxel(annotation.center)
            let isInside = ZYX(0, 1, 2).array.allSatisfy {
                center[$0] >= -0.5 && center[$0] <= Double(extent[$0]) - 0.5
            }
            if isInside {
                clean.nodules.append(Nodule(center: center, diameter: annotation.diameter))
            } else {
                clean.outsideLabels.append(annotation)
            }
        }
        return clean
    }

    /// Returns the direction of each axis, +1 or −1.
    ///
    /// - Throws: `InputError` where an axis does not run along the world's.
    static func axisSigns(_ geometry: VolumeGeometry, source: String) throws -> ZYX<Int> {
        guard let signs = geometry.axisSigns else {
            let matrix = geometry.orientation.map(\.description).joined(separator: " ")
            throw InputError(
                source, at: "TransformMatrix", "\(matrix) is not axis-aligned, expected a diagonal of 1 and -1",
                remedy: "resample the scan to an axis-aligned grid")
        }
        return signs
    }

    private static func checkAgreement(
        scan: VolumeGeometry, mask: VolumeGeometry, maskSource: String, of source: String
    ) throws {
        guard mask.extent == scan.extent else {
            func text(_ extent: ZYX<Int>) -> String { "\(extent.x) \(extent.y) \(extent.z)" }
            throw InputError(
                maskSource, at: "DimSize", "is \(text(mask.extent)), but the scan \(source) has \(text(scan.extent))",
                remedy: "use the mask that was made of this scan")
        }
        guard mask.axisSigns == scan.axisSigns else {
            throw InputError(
                maskSource, at: "TransformMatrix", "is not that of the scan \(source)",
                remedy: "use the mask that was made of this scan")
        }
    }

    /// Returns the whole scan's extent at 1 mm: extent times spacing, rounded to the nearest (a half to even, as
    /// NumPy's round).
    private static func resampledExtent(_ geometry: VolumeGeometry, source: String) throws -> ZYX<Int> {
        let millimetres = geometry.extent.zip(geometry.spacing) { (Double($0) * $1).rounded(.toNearestOrEven) }
        guard millimetres.array.allSatisfy({ $0 >= 1 && $0 <= extentLimit }) else {
            let size = "\(millimetres.x) x \(millimetres.y) x \(millimetres.z)"
            throw InputError(
                source, at: "ElementSpacing", "makes the scan \(size) mm, expected 1 to \(Int(extentLimit)) mm each",
                remedy: "correct the spacing, which is in millimetres")
        }
        return millimetres.map { Int($0) }
    }
}
