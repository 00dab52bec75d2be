import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@Suite struct PreprocessingTests {
    private struct Expected: Decodable {
        var cropStart: [Int]
        var world: [Double]
        var cleanVoxel: [Double]
        var flipped: Bool
    }

    /// Against SciPy and scikit-image (`scripts/fixtures/preprocessing.py`).
    @Test(arguments: ["short/scan.mhd", "float/scan.mha", "flipped/scan.mha", "plain/scan.mhd", "double/scan.mhd"])
    func agreesWithTheReference(_ scan: String) throws {
        let folder = scan.prefix { $0 != "/" }
        let directory = Repository.fixture(String(folder))
        let expected = try Repository.fixture("\(folder)/expected.json", as: Expected.self)
        let world = WorldPoint(x: expected.world[0], y: expected.world[1], z: expected.world[2])
        let clean = try Preprocessing.cleanVolume(
            scanPath: Repository.fixture(scan), maskPath: "\(directory)/mask.mhd", seriesUID: "s",
            annotations: [NoduleAnnotation(center: world, diameter: 7)])
        let reference = try MetaImage.read("\(directory)/clean.mha", as: UInt8.self)

        #expect(clean.extent == reference.extent)
        #expect(clean.frame.cropStart.array == expected.cropStart)
        #expect(clean.frame.flipped == expected.flipped)
        let off = zip(clean.voxels, reference.voxels).count { abs(Int($0) - Int($1)) > 1 }
        #expect(Double(off) <= 0.002 * Double(reference.voxels.count), "\(off) of \(reference.voxels.count)")

        let voxel = clean.frame.cleanVoxel(world)
        for axis in 0..<3 { #expect(abs(voxel[axis] - expected.cleanVoxel[axis]) < 1e-9) }
        #expect(clean.nodules == [Nodule(center: voxel, diameter: 7)])
        #expect(clean.outsideLabels.isEmpty)
    }

    /// A box of soft tissue with two lungs, HU −850.
    private static func chest(labels: (UInt8, UInt8) = (3, 4)) -> (scan: Volume<Int16>, mask: Volume<UInt8>) {
        let geometry = VolumeGeometry(extent: ZYX(20, 30, 40), spacing: ZYX(1, 1, 1), origin: ZYX(5, -6, 7))
        var scan = Volume(geometry: geometry, voxels: [Int16](repeating: 40, count: 24000))
        var mask = Volume(geometry: geometry, voxels: [UInt8](repeating: 0, count: 24000))
        for z in 6..<12 {
            for y in 12..<20 {
                for (range, label) in [(10..<16, labels.0), (24..<30, labels.1)] {
                    for x in range {
                        scan.voxels[(z * 30 + y) * 40 + x] = -850
                        mask.voxels[(z * 30 + y) * 40 + x] = label
                    }
                }
            }
        }
        return (scan, mask)
    }

    @Test func cropsPadsAndRemovesBone() throws {
        var (scan, mask) = Self.chest()
        scan.voxels[(8 * 30 + 10) * 40 + 12] = 1000  // near a lung, not in it: bone
        scan.voxels[(8 * 30 + 15) * 40 + 12] = 1000  // in a lung: kept
        let clean = try Preprocessing.cleanVolume(scan: scan, lungMask: mask, seriesUID: "s")
        #expect(clean.frame.cropStart == ZYX(1, 7, 5))
        #expect(clean.extent == ZYX(20 - 1, 29 - 7, 39 - 5))
        func grey(_ z: Int, _ y: Int, _ x: Int) -> UInt8 {
            clean.voxels[((z - 1) * clean.extent.y + y - 7) * clean.extent.x + x - 5]
        }
        #expect(grey(8, 14, 12) == 49)  // (−850 + 1200)/1800 · 255 = 49.58
        #expect(grey(8, 11, 12) == 175)  // (40 + 1200)/1800 · 255 = 175.67
        #expect(grey(8, 10, 12) == 170)
        #expect(grey(8, 15, 12) == 255)
        #expect(grey(2, 8, 6) == 170)  // further than ten steps from both lungs
    }

    @Test func labelsOutsideAreSetApart() throws {
        let (scan, mask) = Self.chest()
        let inside = NoduleAnnotation(center: WorldPoint(x: 7 + 12, y: -6 + 15, z: 5 + 8), diameter: 5)
        let outside = NoduleAnnotation(center: WorldPoint(x: 7 - 12, y: -6 + 15, z: 5 + 8), diameter: 6)
        let clean = try Preprocessing.cleanVolume(
            scan: scan, lungMask: mask, seriesUID: "s", annotations: [outside, inside])
        #expect(clean.nodules == [Nodule(center: ZYX(7, 8, 7), diameter: 5)])
        #expect(clean.outsideLabels == [outside])
    }

    @Test func refusesWhatDoesNotFit() throws {
        let (scan, mask) = Self.chest()
        func problem(
            _ change: (inout Volume<Int16>, inout Volume<UInt8>) -> Void
        ) throws -> InputError {
            var (scan, mask) = (scan, mask)
            change(&scan, &mask)
            return try #require(throws: InputError.self) {
                _ = try Preprocessing.cleanVolume(scan: scan, lungMask: mask, seriesUID: "1.2.3")
            }
        }
        let empty = try problem { $1.voxels = $1.voxels.map { _ in 5 } }
        #expect(empty.description.contains("1.2.3") && empty.problem.contains("empty") && empty.remedy != nil)
        let oblique = try problem { scan, _ in scan.geometry.orientation = [0.7, 0.7, 0, -0.7, 0.7, 0, 0, 0, 1] }
        #expect(oblique.place == "TransformMatrix" && oblique.problem.contains("not axis-aligned"))
        let shape = try problem { _, mask in
            mask = Volume(
                geometry: VolumeGeometry(extent: ZYX(30, 20, 40), spacing: ZYX(1, 1, 1)), voxels: mask.voxels)
        }
        #expect(shape.problem.contains("40 20 30") && shape.problem.contains("40 30 20"))
        let huge = try problem { scan, _ in scan.geometry.spacing.x = 1e6 }
        #expect(huge.place == "ElementSpacing")
        let turned = try problem { scan, _ in scan.geometry.orientation = VolumeGeometry.turned }
        #expect(turned.place == "TransformMatrix")
    }
}
