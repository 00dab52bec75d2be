import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

/// Preprocessing of scans and masks in every format and along all axes.
@Suite struct ScanFormatsTests {
    /// The volume with its axes permuted and reversed: those of x, y and z run along the world's axes `order` (0 is x),
    /// against them where `signs` is −1. Voxels keep their places.
    private static func permuted<Voxel>(
        _ upright: Volume<Voxel>, _ order: [Int], _ signs: [Int]
    ) -> Volume<Voxel> {
        let extent = upright.extent.array.reversed() as [Int]
        let spacing = upright.geometry.spacing.array.reversed() as [Double]
        var origin = upright.geometry.origin.array.reversed() as [Double]
        var orientation = [Double](repeating: 0, count: 9)
        for axis in 0..<3 {
            let world = order[axis]
            orientation[3 * axis + world] = Double(signs[axis])
            if signs[axis] < 0 { origin[world] += Double(extent[world] - 1) * spacing[world] }
        }
        let size = order.map { extent[$0] }
        var voxels: [Voxel] = []
        for z in 0..<size[2] {
            for y in 0..<size[1] {
                for x in 0..<size[0] {
                    var place = [0, 0, 0]
                    for (axis, index) in [x, y, z].enumerated() {
                        place[order[axis]] = signs[axis] > 0 ? index : size[axis] - 1 - index
                    }
                    voxels.append(upright.voxels[(place[2] * extent[1] + place[1]) * extent[0] + place[0]])
                }
            }
        }
        return Volume(
            geometry: VolumeGeometry(
                extent: ZYX(size[2], size[1], size[0]),
                spacing: ZYX(spacing[order[2]], spacing[order[1]], spacing[order[0]]),
                origin: ZYX(origin[2], origin[1], origin[0]), orientation: orientation),
            voxels: voxels)
    }

    private static func writeNRRD<Voxel>(_ volume: Volume<Voxel>, to path: String) throws {
        let geometry = volume.geometry
        let spacing = geometry.spacing.array.reversed() as [Double]
        let vectors = (0..<3).map { axis in
            "(" + (0..<3).map { "\(geometry.orientation[3 * axis + $0] * spacing[axis])" }.joined(separator: ",") + ")"
        }
        let header = """
            NRRD0004
            type: \(Voxel.self)
            dimension: 3
            space: left-posterior-superior
            sizes: \(geometry.extent.x) \(geometry.extent.y) \(geometry.extent.z)
            space directions: \(vectors.joined(separator: " "))
            space origin: (\(geometry.origin.x),\(geometry.origin.y),\(geometry.origin.z))
            endian: \(ByteOrder.native)
            encoding: raw


            """
        try AtomicFile.write(Array(header.utf8) + volume.voxels.withUnsafeBytes { Array($0) }, to: path)
    }

    private static func chest() throws -> (scan: Volume<Int16>, mask: Volume<UInt8>) {
        let directory = Repository.fixture("short")
        return (
            try MetaImage.read("\(directory)/scan.mhd", as: Int16.self),
            try MetaImage.read("\(directory)/mask.mhd", as: UInt8.self)
        )
    }

    @Test(arguments: [
        ([0, 1, 2], [1, 1, 1]), ([0, 1, 2], [-1, -1, 1]), ([0, 1, 2], [1, -1, -1]), ([2, 0, 1], [1, 1, -1]),
        ([1, 2, 0], [-1, 1, 1]), ([0, 2, 1], [1, -1, 1]), ([2, 1, 0], [-1, -1, -1]),
    ])
    func theOrientationDoesNotMatter(_ order: [Int], _ signs: [Int]) throws {
        let (scan, mask) = try Self.chest()
        try #require(scan.geometry.axisSigns == ZYX(1, 1, 1))
        let middle = scan.geometry.extent.zip(scan.geometry.spacing) { Double($0 / 2) * $1 } + scan.geometry.origin
        let nodule = NoduleAnnotation(center: WorldPoint(x: middle.x, y: middle.y, z: middle.z), diameter: 6)
        let expected = try Preprocessing.cleanVolume(
            scan: scan, lungMask: mask, seriesUID: "s", annotations: [nodule])
        try #require(expected.nodules.count == 1)
        try withTemporaryDirectory { directory in
            try Self.writeNRRD(Self.permuted(scan, order, signs), to: "\(directory)/scan.nrrd")
            // The mask along other axes than the scan.
            try Self.writeNRRD(Self.permuted(mask, [1, 0, 2], [1, -1, 1]), to: "\(directory)/mask.nrrd")
            let clean = try Preprocessing.cleanVolume(
                scanPath: "\(directory)/scan.nrrd", maskPath: "\(directory)/mask.nrrd", seriesUID: "s",
                annotations: [nodule])
            #expect(clean.extent == expected.extent && clean.voxels == expected.voxels)
            #expect(clean.frame.cropStart == expected.frame.cropStart && !clean.frame.flipped)
            for axis in 0..<3 {
                #expect(abs(clean.nodules[0].center[axis] - expected.nodules[0].center[axis]) < 1e-9)
            }
        }
    }

    /// A turned MetaImage scan stays on the recipe's path, whatever its mask's format and axes.
    @Test(arguments: [([0, 1, 2], [-1, -1, 1]), ([0, 1, 2], [1, 1, 1]), ([2, 0, 1], [1, 1, -1])])
    func aMaskOfAnotherFormatServesATurnedScan(_ order: [Int], _ signs: [Int]) throws {
        let root = Repository.fixture("flipped")
        let expected = try Preprocessing.cleanVolume(
            scanPath: "\(root)/scan.mha", maskPath: "\(root)/mask.mhd", seriesUID: "s")
        try #require(expected.frame.flipped)
        try withTemporaryDirectory { directory in
            let upright = try MetaImage.read("\(root)/mask.mhd", as: UInt8.self).reoriented()
            try Self.writeNRRD(Self.permuted(upright, order, signs), to: "\(directory)/mask.nrrd")
            let clean = try Preprocessing.cleanVolume(
                scanPath: "\(root)/scan.mha", maskPath: "\(directory)/mask.nrrd", seriesUID: "s")
            #expect(clean.voxels == expected.voxels && clean.frame == expected.frame)
        }
    }

    /// Permuted axes were an error of MetaImage scans; the recipe's flips could not serve them.
    @Test func aPermutedMetaImageIsReoriented() throws {
        let (scan, mask) = try Self.chest()
        let expected = try Preprocessing.cleanVolume(scan: scan, lungMask: mask, seriesUID: "s")
        try withTemporaryDirectory { directory in
            try MetaImage.write(Self.permuted(scan, [1, 2, 0], [1, -1, 1]), to: "\(directory)/scan.mha")
            try MetaImage.write(mask, to: "\(directory)/mask.mha")
            let clean = try Preprocessing.cleanVolume(
                scanPath: "\(directory)/scan.mha", maskPath: "\(directory)/mask.mha", seriesUID: "s")
            #expect(clean.voxels == expected.voxels)
        }
    }

    @Test func obliqueScansAndMasksOfAnotherPlaceAreRefused() throws {
        let (scan, mask) = try Self.chest()
        try withTemporaryDirectory { directory in
            func problem(_ scan: Volume<Int16>, _ mask: Volume<UInt8>) throws -> InputError {
                try Self.writeNRRD(scan, to: "\(directory)/scan.nrrd")
                try Self.writeNRRD(mask, to: "\(directory)/mask.nrrd")
                return try #require(throws: InputError.self) {
                    _ = try Preprocessing.cleanVolume(
                        scanPath: "\(directory)/scan.nrrd", maskPath: "\(directory)/mask.nrrd", seriesUID: "s")
                }
            }
            var oblique = scan
            let (c, s) = (cos(0.2), sin(0.2))
            oblique.geometry.orientation = [c, s, 0, -s, c, 0, 0, 0, 1]
            let tilt = try problem(oblique, mask)
            #expect(tilt.file.hasSuffix("scan.nrrd") && tilt.problem.contains("11.5 degrees") && tilt.remedy != nil)
            var moved = mask
            moved.geometry.origin.z += 10
            let place = try problem(scan, moved)
            #expect(place.file.hasSuffix("mask.nrrd") && place.problem.contains("begins at"))
            // A scan that comes from no file of these formats is held against its mask as well.
            let inMemory = try #require(throws: InputError.self) {
                _ = try Preprocessing.cleanVolume(
                    .short(scan), maskPath: "\(directory)/mask.nrrd", seriesUID: "s")
            }
            #expect(inMemory.file.hasSuffix("mask.nrrd") && inMemory.problem.contains("begins at"))
            try Self.writeNRRD(mask, to: "\(directory)/mask.nrrd")
            let clean = try Preprocessing.cleanVolume(
                .short(scan), maskPath: "\(directory)/mask.nrrd", seriesUID: "s")
            let expected = try Preprocessing.cleanVolume(scan: scan, lungMask: mask, seriesUID: "s")
            #expect(clean.voxels == expected.voxels && clean.frame == expected.frame)
        }
    }

    /// A mask whose header does not tell of the turn that its voxels share with the scan.
    @Test func aMetaImageMaskWithAnotherHeaderIsRefused() throws {
        let root = Repository.fixture("flipped")
        try withTemporaryDirectory { directory in
            var mask = try MetaImage.read("\(root)/mask.mhd", as: UInt8.self)
            mask.geometry.orientation = VolumeGeometry.upright
            try MetaImage.write(mask, to: "\(directory)/mask.mha")
            let error = try #require(throws: InputError.self) {
                _ = try Preprocessing.cleanVolume(
                    scanPath: "\(root)/scan.mha", maskPath: "\(directory)/mask.mha", seriesUID: "s")
            }
            #expect(error.file.hasSuffix("mask.mha") && error.remedy?.contains("made of this scan") == true)
        }
    }
}
