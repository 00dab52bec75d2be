import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

/// Tiny files of every format, and what SimpleITK reads in them (`scripts/fixtures/formats.py`).
struct ScanCase: Decodable, CustomTestStringConvertible {
    struct Geometry: Decodable {
        var size: [Int]
        var spacing: [Double]
        var origin: [Double]
        var orientation: [Double]

        /// Equal but for rounding: a part in ten million, as NIfTI's numbers are Float's.
        func agrees(with geometry: VolumeGeometry) -> Bool {
            func near(_ a: [Double], _ b: [Double]) -> Bool {
                a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-7 * max(1, abs($0)) }
            }
            return size == geometry.extent.array.reversed() && near(spacing, geometry.spacing.array.reversed())
                && near(origin, geometry.origin.array.reversed()) && near(orientation, geometry.orientation)
        }
    }

    struct Upright: Decodable {
        var geometry: Geometry
        var voxels: [String]
    }

    var name: String
    var type: String
    var geometry: Geometry
    var voxels: [String]
    var files: [String: Data]
    var upright: Upright?

    var testDescription: String { name }

    static let all = (try? Repository.fixture("formats.json", as: [ScanCase].self)) ?? []

    static func named(_ name: String) throws -> ScanCase { try #require(all.first { $0.name == name }) }

    /// Calls `body` with the path of the case's file.
    func withFiles<Result>(_ body: (String) throws -> Result) throws -> Result {
        try withTemporaryDirectory { directory in
            for (name, content) in files { try content.write(to: URL(fileURLWithPath: "\(directory)/\(name)")) }
            return try body("\(directory)/\(name)")
        }
    }
}

@Suite struct ScanFileTests {
    private func read<Voxel: VoxelScalar & LosslessStringConvertible>(
        _ path: String, as type: Voxel.Type, expecting voxels: [String]
    ) throws -> VolumeGeometry {
        let volume = try ScanFile.read(path, as: type)
        #expect(volume.voxels == voxels.map { Voxel($0) })
        #expect(volume.source == path)
        return volume.geometry
    }

    @Test func theFixtureIsThere() { #expect(ScanCase.all.count > 150) }

    @Test(arguments: ScanCase.all) func agreesWithSimpleITK(_ scan: ScanCase) throws {
        try scan.withFiles { path in
            let voxels = scan.voxels
            let geometry =
                switch scan.type {
                case "int8": try read(path, as: Int8.self, expecting: voxels)
                case "uint8": try read(path, as: UInt8.self, expecting: voxels)
                case "int16": try read(path, as: Int16.self, expecting: voxels)
                case "uint16": try read(path, as: UInt16.self, expecting: voxels)
                case "int32": try read(path, as: Int32.self, expecting: voxels)
                case "uint32": try read(path, as: UInt32.self, expecting: voxels)
                case "int64": try read(path, as: Int64.self, expecting: voxels)
                case "uint64": try read(path, as: UInt64.self, expecting: voxels)
                case "float32": try read(path, as: Float.self, expecting: voxels)
                default: try read(path, as: Double.self, expecting: voxels)
                }
            #expect(scan.geometry.agrees(with: geometry), "\(geometry)")
            // The header alone says the same.
            let file = try ScanFile(path: path)
            #expect(file.geometry == geometry)
            #expect(file.byteCount == voxels.count * file.elementType.size)
        }
    }

    @Test(arguments: ScanCase.all.filter { $0.upright != nil }) func reorientsAsSimpleITK(_ scan: ScanCase) throws {
        let expected = try #require(scan.upright)
        try scan.withFiles { path in
            let upright = try ScanFile.read(path, as: Int16.self).reoriented()
            #expect(upright.voxels == expected.voxels.map { Int16($0) })
            #expect(expected.geometry.agrees(with: upright.geometry), "\(upright.geometry)")
        }
    }

    @Test func convertsAndSaysWhatTheTypeIs() throws {
        try ScanCase.named("int32.nii").withFiles { path in
            let file = try ScanFile(path: path)
            #expect(file.elementType == .int && file.format == .nifti && file.rescale == nil && !file.fitsInt16)
            let values = try #require(ScanCase.all.first { $0.name == "int32.nii" }).voxels.compactMap { Int32($0) }
            #expect(try file.read(as: Int16.self).voxels == values.map { Int16(clamping: $0) })
        }
        try ScanCase.named("slope.nii.gz").withFiles { path in
            let file = try ScanFile(path: path)
            #expect(file.elementType == .short && !file.fitsInt16)
            #expect(file.rescale == Rescale(slope: 2.5, intercept: Double(Float(-1.1))))
            #expect(try file.read(as: Int16.self).voxels.prefix(4) == [-1, 1, 4, 6])
        }
    }

    @Test func namesAreWithoutTheirEnding() {
        #expect(ScanFile.name(of: "/a.b/1.2.3.nii.gz") == "1.2.3")
        #expect(ScanFile.name(of: "x.NRRD") == "x")
        #expect(ScanFile.name(of: "d/x.y.nhdr") == "x.y")
        #expect(ScanFile.name(of: "x.raw") == nil && ScanFile.name(of: "x.gz") == nil)
    }

    @Test func refusesPairsAndOtherEndings() throws {
        for name in ["scan.hdr", "scan.img.gz"] {
            let error = try #require(throws: InputError.self) { _ = try ScanFile(path: name) }
            #expect(error.problem.contains("pair") && error.remedy?.contains(".nii.gz") == true)
        }
        let error = try #require(throws: InputError.self) { _ = try ScanFile(path: "scan.dcm") }
        #expect(error.remedy?.contains(".mhd, .mha, .nii.gz, .nii, .nrrd, .nhdr") == true)
        #expect(throws: InputError.self) { try ScanFile(path: "/nowhere/scan.nii") }
    }

    /// Real CT against what SimpleITK reads in it: set LUNA_REAL_CT to the directory that holds TotalSegmentator's test
    /// scans `torso_3mm.nii.gz` (x and y reversed) and `chest_1p5mm.nii.gz`.
    @Test(
        .enabled(if: ProcessInfo.processInfo.environment["LUNA_REAL_CT"] != nil),
        arguments: [
            (
                "torso_3mm", ZYX(30, 101, 122), 3.0, ZYX(94.3017578125, -311.3190002441406, -185.04367065429688),
                UInt32(0xd934_7a72), UInt32(0x24ee_92a3)
            ),
            (
                "chest_1p5mm", ZYX(164, 126, 120), 1.5, ZYX(540.2000122070312, -255.658203125, -71.658203125),
                0xb0ed_17a5, 0xb0ed_17a5
            ),
        ])
    func realScansAreThoseOfSimpleITK(
        _ name: String, extent: ZYX<Int>, spacing: Double, origin: ZYX<Double>, stored: UInt32, upright: UInt32
    ) throws {
        let directory = try #require(ProcessInfo.processInfo.environment["LUNA_REAL_CT"])
        let scan = try ScanFile.read("\(directory)/\(name).nii.gz", as: Int16.self)
        #expect(try checksum(scan.voxels) == stored)
        let turned = try scan.reoriented()
        #expect(try checksum(turned.voxels) == upright)
        #expect(turned.extent == extent)
        for axis in 0..<3 {
            #expect(abs(turned.geometry.spacing[axis] - spacing) < 1e-7)
            #expect(abs(turned.geometry.origin[axis] - origin[axis]) < 1e-4)
        }
    }

    private func checksum(_ voxels: [Int16]) throws -> UInt32 {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(voxels.map(\.littleEndian).withUnsafeBytes { Array($0) }, to: "\(directory)/voxels")
            return try FileContent.crc32("\(directory)/voxels")
        }
    }
}
