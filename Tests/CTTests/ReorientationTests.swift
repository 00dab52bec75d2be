import Basics
import CT
import FileIO
import Foundation
import Testing

@Suite struct ReorientationTests {
    /// A volume whose voxels name their own place, along permuted and reversed axes.
    private static func volume(_ order: [Int], _ signs: [Double], tilt: Double = 0) -> Volume<Int32> {
        let extent = ZYX(35, 3, 34)
        var orientation = [Double](repeating: 0, count: 9)
        // Column by column: the axis of x, of y, of z runs along world axis order[0], order[1], order[2] (0 is x).
        for axis in 0..<3 { orientation[3 * axis + order[axis]] = signs[axis] }
        let (c, s) = (cos(tilt), sin(tilt))
        for axis in 0..<3 {
            let (x, y) = (orientation[3 * axis], orientation[3 * axis + 1])
            (orientation[3 * axis], orientation[3 * axis + 1]) = (c * x - s * y, s * x + c * y)
        }
        return Volume(
            geometry: VolumeGeometry(
                extent: extent, spacing: ZYX(2.5, 1.5, 0.5), origin: ZYX(-300, 20, 7), orientation: orientation),
            voxels: (0..<Int32(extent.product)).map { $0 }, source: "scan")
    }

    /// World position (x, y, z) of a voxel, from the definition of the geometry.
    private static func place(_ geometry: VolumeGeometry, _ voxel: ZYX<Int>) -> [Double] {
        let steps = [
            Double(voxel.x) * geometry.spacing.x, Double(voxel.y) * geometry.spacing.y,
            Double(voxel.z) * geometry.spacing.z,
        ]
        let origin = [geometry.origin.x, geometry.origin.y, geometry.origin.z]
        return (0..<3).map { world in
            (0..<3).reduce(origin[world]) { $0 + steps[$1] * geometry.orientation[3 * $1 + world] }
        }
    }

    private static func voxel(_ index: Int, _ extent: ZYX<Int>) -> ZYX<Int> {
        ZYX(index / (extent.y * extent.x), index / extent.x % extent.y, index % extent.x)
    }

    private static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    private static let signs = (0..<8).map { bits in (0..<3).map { bits >> $0 & 1 == 0 ? 1.0 : -1 } }

    @Test(arguments: orders, signs) func everyVoxelKeepsItsPlace(_ order: [Int], _ signs: [Double]) throws {
        let scan = Self.volume(order, signs)
        for direction in [ZYX(1, 1, 1), ZYX(1, -1, -1)] {
            let turned = try scan.reoriented(to: direction)
            #expect(turned.geometry.axisSigns == direction)
            #expect(Set(turned.voxels).count == scan.voxels.count)
            var worst = 0.0
            for (index, value) in turned.voxels.enumerated() {
                let now = Self.place(turned.geometry, Self.voxel(index, turned.extent))
                let before = Self.place(scan.geometry, Self.voxel(Int(value), scan.extent))
                worst = max(worst, zip(now, before).map { abs($0 - $1) }.max() ?? 0)
            }
            #expect(worst < 1e-9)
        }
    }

    @Test func aTiltOfRoundingIsKeptAndALargerOneRefused() throws {
        let slight = try Self.volume([1, 0, 2], [-1, 1, 1], tilt: 0.001).reoriented()
        #expect(slight.geometry.axisSigns == ZYX(1, 1, 1))
        #expect(abs(slight.geometry.orientation[1]) > 0.0009)  // the tilt is still there
        let error = try #require(throws: InputError.self) {
            _ = try Self.volume([1, 0, 2], [-1, 1, 1], tilt: 5 * .pi / 180).reoriented()
        }
        #expect(error.file == "scan" && error.problem.contains("5.0 degrees"))
        #expect(error.remedy?.contains("resample") == true)
    }

    @Test func whatIsNoRotationIsRefused() throws {
        for orientation in [[1, 0, 0, 1, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0, 0, 1], [2, 0, 0, 0, 1, 0, 0, 0, 1]] {
            var scan = Self.volume([0, 1, 2], [1, 1, 1])
            scan.geometry.orientation = orientation.map(Double.init)
            #expect(throws: InputError.self) { try scan.reoriented() }
        }
    }
}
