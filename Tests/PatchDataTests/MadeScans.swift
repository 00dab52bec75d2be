import Basics
import CT
import FileIO

@testable import PatchData

/// Clean volumes made for tests: grey 100, with a bright ball (200) at every nodule.
enum MadeScans {
    static func volume(
        _ seriesUID: String, extent: ZYX<Int> = ZYX(40, 50, 60), nodules: [Nodule] = []
    ) -> CleanVolume {
        var voxels = [UInt8](repeating: 100, count: extent.product)
        for z in 0..<extent.z {
            for y in 0..<extent.y {
                for x in 0..<extent.x {
                    let inside = nodules.contains {
                        let d = ZYX(Double(z), Double(y), Double(x)) - $0.center
                        return (d * d).array.reduce(0, +) <= $0.diameter * $0.diameter / 4
                    }
                    if inside { voxels[(z * extent.y + y) * extent.x + x] = 200 }
                }
            }
        }
        return CleanVolume(
            seriesUID: seriesUID, extent: extent, voxels: voxels,
            frame: WorldFrame(
                origin: ZYX(-100.5, 20.25, 3), spacing: ZYX(2.5, 0.7, 0.7), flipped: true, scanExtent: ZYX(20, 90, 91),
                cropStart: ZYX(1, 2, 3)),
            nodules: nodules,
            outsideLabels: [NoduleAnnotation(center: WorldPoint(x: 1, y: 2, z: 3), diameter: 4.5)])
    }

    /// Five scans in two subsets: without nodule, with several, with one at the border, smaller than a crop, with one
    /// larger than a crop.
    static let volumes: [String: CleanVolume] = [
        "1.1": volume("1.1"),
        "1.2": volume(
            "1.2",
            nodules: [
                Nodule(center: ZYX(20, 20, 20), diameter: 7), Nodule(center: ZYX(22.5, 30, 41), diameter: 12),
            ]),
        "1.3": volume("1.3", nodules: [Nodule(center: ZYX(0.25, 49, 30), diameter: 5)]),
        "2.1": volume("2.1", extent: ZYX(9, 12, 14), nodules: [Nodule(center: ZYX(4, 5, 6), diameter: 4)]),
        "2.2": volume("2.2", nodules: [Nodule(center: ZYX(20, 25, 30), diameter: 45)]),
    ]

    /// Empty headers in LUNA16's layout: the converter's `prepare` stands in for what they would hold.
    static func layout(_ directory: String) throws -> LUNA16Layout {
        for (uid, _) in volumes {
            let subset = "\(directory)/subset\(uid.hasPrefix("1") ? 0 : 3)"
            try FileContent.makeDirectory(subset)
            try AtomicFile.write("", to: "\(subset)/\(uid).mhd")
        }
        return try LUNA16Layout(directory: directory)
    }

    static let options = ConversionOptions(
        preset: "luna16", cropSize: 32, jitter: 4, backgroundPatches: 3, seed: 5)

    static func converter(
        _ layout: LUNA16Layout, _ output: String, options: ConversionOptions = options, jobs: Int = 2,
        bad: Set<String> = [], skipBad: Bool = false
    ) -> Converter {
        Converter(layout: layout, output: output, options: options, jobs: jobs, skipBad: skipBad) { scan in
            guard !bad.contains(scan.seriesUID), let volume = volumes[scan.seriesUID] else {
                throw InputError(scan.path, at: "DimSize", "missing", remedy: "download it again")
            }
            return volume
        }
    }

    /// All files under a directory with their bytes.
    static func content(_ directory: String) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in try FileContent.names(inDirectory: directory) {
            let path = "\(directory)/\(name)"
            if FileContent.isDirectory(path) {
                for (inner, bytes) in try content(path) { result["\(name)/\(inner)"] = bytes }
            } else {
                result[name] = try FileContent.bytes(path)
            }
        }
        return result
    }
}
