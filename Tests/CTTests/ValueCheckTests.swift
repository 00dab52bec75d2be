import Basics
import FileIO
import Foundation
import TestSupport
import Testing

@testable import CT

/// Scans whose values are no HU, and masks that are none: refused with what was seen, or warned of.
@Suite struct ValueCheckTests {
    private static let geometry = VolumeGeometry(extent: ZYX(40, 60, 80), spacing: ZYX(4, 4, 4))

    /// A body of 40 HU with two lungs of -850 HU, in air of -1000, and its mask.
    private static let scan = make { $0 == 0 ? $1 ? 40 : -1000 : -850 }
    private static let mask = Volume(geometry: geometry, voxels: lungs)

    private static let lungs: [UInt8] = (0..<geometry.extent.product).map { index in
        let (y, x) = (index / 80 % 60, index % 80)
        return 20..<40 ~= y ? (15..<35 ~= x ? 3 : 45..<65 ~= x ? 4 : 0) : 0
    }

    /// A scan of the value that `value` gives for a label and whether the voxel is in the body.
    private static func make(_ value: (UInt8, Bool) -> Int16) -> Volume<Int16> {
        Volume(
            geometry: geometry,
            voxels: lungs.enumerated().map { value($1, 5..<55 ~= $0 / 80 % 60 && 5..<75 ~= $0 % 80) })
    }

    private func clean<Scan: VoxelScalar, Mask: VoxelScalar>(
        _ scan: Volume<Scan>, _ mask: Volume<Mask> = Self.mask
    ) throws -> CleanVolume {
        try withTemporaryDirectory { directory in
            try MetaImage.write(scan, to: "\(directory)/scan.mha")
            try MetaImage.write(mask, to: "\(directory)/mask.mha")
            return try Preprocessing.cleanVolume(
                scanPath: "\(directory)/scan.mha", maskPath: "\(directory)/mask.mha", seriesUID: "s")
        }
    }

    private func refusal<Scan: VoxelScalar, Mask: VoxelScalar>(
        _ scan: Volume<Scan>, _ mask: Volume<Mask> = Self.mask
    ) throws -> InputError {
        try #require(throws: InputError.self) { _ = try clean(scan, mask) }
    }

    private func mapped<Voxel: VoxelScalar, Result: VoxelScalar>(
        _ volume: Volume<Voxel>, _ change: (Voxel) -> Result
    ) -> Volume<Result> {
        Volume(geometry: volume.geometry, voxels: volume.voxels.map(change))
    }

    @Test func hounsfieldUnitsPass() throws {
        let expected = try Preprocessing.cleanVolume(scan: Self.scan, lungMask: Self.mask, seriesUID: "s")
        let found = try clean(Self.scan)
        #expect(found.voxels == expected.voxels && found.warnings.isEmpty)
        // Padded, with metal, as floating-point numbers, white lungs with some air in them.
        for scan in [
            mapped(Self.scan) { $0 == -1000 ? -3024 : $0 }, mapped(Self.scan) { $0 == 40 ? 30_000 : $0 },
            Self.make { label, isBody in label == 0 ? isBody ? 40 : -1000 : label == 3 ? 20 : -600 },
        ] {
            #expect(try clean(scan).warnings.isEmpty)
            #expect(try clean(mapped(scan) { Float($0) + 0.25 }).warnings.isEmpty)
        }
    }

    @Test func valuesThatAreNoHUAreRefusedWithWhatTheyAre() throws {
        let raised = try refusal(mapped(Self.scan) { $0 + 1024 })
        #expect(raised.file.hasSuffix("scan.mha") && raised.problem.contains("no voxel below -500 HU"))
        #expect(raised.problem.contains("they are 24 to 1064") && raised.remedy?.contains("1024") == true)
        let scaled = try refusal(mapped(Self.scan) { (Float($0) + 1000) / 1040 })
        #expect(scaled.problem.contains("no voxel below -500 HU") && scaled.problem.contains("0 to 1"))
        #expect(scaled.remedy?.contains("before its values were scaled") == true)
        let picture = try refusal(mapped(Self.scan) { UInt8(clamping: ($0 + 1000) / 5) })
        #expect(picture.remedy?.contains("not a picture") == true)
        // The padding of a raised scan is no air.
        let padded = try refusal(mapped(Self.scan) { $0 == -1000 ? -2000 : $0 + 1024 })
        #expect(padded.problem.contains("no voxel between -1100 and -500 HU"))
        // Where padding has the value of air, the lungs tell.
        let airy = try refusal(mapped(Self.scan) { $0 == -1000 ? $0 : $0 + 1024 })
        #expect(airy.problem.contains("their mean is 174 HU: these are no lungs"), "\(airy)")
        let lowered = try refusal(mapped(Self.scan) { $0 - 1024 })
        #expect(lowered.problem.contains("-1874 HU"), "\(lowered)")
    }

    @Test func whatIsNoMaskIsRefused() throws {
        let scan = try refusal(Self.scan, Self.scan)
        #expect(scan.file.hasSuffix("mask.mha") && scan.problem.contains("no lung mask: from -1000.0 to 40.0"))
        for mask in [
            mapped(Self.scan) { Float($0) }, mapped(Self.mask) { Float($0) * 0.9 }, mapped(Self.mask) { Float($0) - 3 },
            mapped(Self.mask) { Float($0) * 100 },
        ] {
            #expect(try refusal(Self.scan, mask).problem.contains("expected whole numbers from 0 to 255"))
        }
        var grey = Self.mask
        for index in 0..<200 { grey.voxels[index] = UInt8(index) }
        #expect(try refusal(Self.scan, grey).problem.contains("200 different values"))
        for (factor, held) in [(UInt8(0), "0"), (85, "0, 255"), (2, "0, 6, 8")] {
            let other = mapped(Self.mask) { $0 == 0 ? 0 : factor == 85 ? 255 : $0 * factor }
            #expect(try refusal(Self.scan, other).problem.hasSuffix("no voxel has label 3 or 4, it holds \(held)"))
        }
        // The mask of other organs marks the body where the lungs are not.
        let organs = mapped(Self.mask) { UInt8($0 == 0 ? 0 : 1) }
        var body = organs
        for (index, value) in Self.scan.voxels.enumerated() where value == 40 { body.voxels[index] = 3 }
        #expect(try refusal(Self.scan, body).problem.contains("their mean is 40 HU: these are no lungs"))
    }

    @Test func masksOfEveryTypeAreTheSame() throws {
        let expected = try clean(Self.scan).voxels
        #expect(try clean(Self.scan, mapped(Self.mask) { Int16($0) }).voxels == expected)
        #expect(try clean(Self.scan, mapped(Self.mask) { Int32($0) }).voxels == expected)
        #expect(try clean(Self.scan, mapped(Self.mask) { Float($0) }).voxels == expected)
        #expect(try clean(Self.scan, mapped(Self.mask) { $0 == 0 ? Double.nan : Double($0) }).voxels == expected)
    }

    @Test func lungsOfAnImprobableSizeAreWarnedOf() throws {
        for (spacing, isOdd) in [(ZYX(4.0, 4, 4), false), (ZYX(1.0, 1, 1), true), (ZYX(40.0, 8, 8), true)] {
            func placed<Voxel: VoxelScalar>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
                Volume(
                    geometry: VolumeGeometry(extent: volume.extent, spacing: spacing), voxels: volume.voxels)
            }
            let warnings = try clean(placed(Self.scan), placed(Self.mask)).warnings
            #expect(warnings.count == (isOdd ? 1 : 0))
            if isOdd { #expect(warnings.first?.hasPrefix("the lungs hold \(32 * Int(spacing.product)) ml") == true) }
        }
    }
}
