import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import DICOM

@Suite struct SeriesTests {
    private static let uncompressed = [
        "explicit", "implicit, signed, padded", "big-endian, signed 12 bits", "overlay bits",
        "rescaling by slice", "fractional rescaling", "turned", "oblique", "without UID and modality",
        "nested sequences", "company",
    ]
    static let compressed = [
        "JPEG 2000", "JPEG 2000, signed", "JPEG lossless", "JPEG lossless, signed, another predictor",
        "JPEG extended, lossy", "JPEG-LS", "JPEG-LS, nearly lossless", "run-length",
    ]

    private func expect(_ series: DICOMSeries, _ expected: Fixture.Expected) throws {
        let geometry = series.geometry
        #expect(geometry.extent.array == expected.extent)
        func agree(_ a: [Double], _ b: [Double], within tolerance: Double) -> Bool {
            a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
        }
        #expect(agree(geometry.spacing.array.reversed(), expected.spacing, within: 1e-9))
        #expect(agree(geometry.origin.array.reversed(), expected.origin, within: 1e-9))
        #expect(agree(geometry.orientation, expected.orientation, within: 1e-6))
        if let voxels = expected.voxels { #expect(try series.volume(as: Double.self).voxels == voxels) }
        if let crc = expected.crc32 {
            let voxels = try series.volume(as: Int16.self).voxels
            try withTemporaryDirectory { folder in
                let bytes = voxels.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
                try AtomicFile.write(bytes, to: "\(folder)/voxels")
                #expect(try FileContent.crc32("\(folder)/voxels") == crc)
            }
        }
    }

    @Test(arguments: uncompressed) func uncompressedSeriesEqualSimpleITK(_ name: String) throws {
        try Fixture.withFolder(name) { folder in
            let expected = try #require(try Fixture.shared.get().cases[name]?.expected)
            try expect(try Fixture.series(folder), expected)
        }
    }

    #if DICOM
        @Test(arguments: compressed) func compressedSeriesEqualSimpleITK(_ name: String) throws {
            try Fixture.withFolder(name) { folder in
                let expected = try #require(try Fixture.shared.get().cases[name]?.expected)
                try expect(try #require(try DICOMSeries(folder: folder)), expected)
            }
        }

        private static let realFolder = ProcessInfo.processInfo.environment["LUNA_REAL_CT"]

        @Test(.enabled(if: realFolder != nil), arguments: ["dicom_abdomen", "dicom_lung"])
        func realSeriesEqualSimpleITK(_ name: String) throws {
            let folder = try #require(Self.realFolder)
            let expected = try #require(try Fixture.shared.get().real[name])
            try expect(try #require(try DICOMSeries(folder: "\(folder)/\(name)")), expected)
        }
    #else
        @Test func aBuildWithoutGDCMSaysHowToBuildItIn() throws {
            try Fixture.withFolder("explicit") { folder in
                let error = try #require(throws: InputError.self) { _ = try DICOMSeries(folder: folder) }
                #expect(error.remedy?.contains("swift build -c release --traits DICOM") == true)
                #expect(!"\(error)".contains("\n"))
            }
        }
    #endif

    @Test func theFolderNamesASeriesWithoutUID() throws {
        try Fixture.withFolder("without UID and modality") { folder in
            let name = try #require(folder.split(separator: "/").last)
            #expect(try Fixture.series(folder).uid == String(name))
            #expect(try Fixture.series(folder + "/.").uid == String(name))
        }
        try Fixture.withFolder("explicit") { folder in
            let uid = try Fixture.series(folder).uid
            #expect(uid == "1.2.3")
        }
    }

    @Test func wholeHUOfFewBitsTakeSixteen() throws {
        for (name, isShort) in [
            ("explicit", true), ("implicit, signed, padded", true), ("fractional rescaling", false),
        ] {
            try Fixture.withFolder(name) { folder in
                let series = try Fixture.series(folder)
                let exact = try series.volume(as: Double.self).voxels
                switch try series.scanVolume() {
                case .short(let volume):
                    #expect(isShort)
                    #expect(volume.voxels.map { Double($0) } == exact)
                    #expect(volume.source == folder)
                case .float(let volume):
                    #expect(!isShort)
                    #expect(volume.voxels.map { Double($0) } == exact)
                }
            }
        }
    }

    @Test func whatIsLeftOutIsCounted() throws {
        try Fixture.withFolder("company") { folder in
            let notes = try Fixture.series(folder).notes
            #expect(
                notes == [
                    "1 file that is not DICOM", "1 DICOM file without an image", "2 scout images",
                    "1 image without a place in the patient", "1 image of modality RTSTRUCT",
                ])
        }
        try Fixture.withFolder("explicit") { folder in
            let notes = try Fixture.series(folder).notes
            #expect(notes.isEmpty)
        }
    }

    @Test func oneOfSeveralSeriesIsChosen() throws {
        try Fixture.withFolder("two series") { folder in
            let error = try #require(throws: InputError.self) { _ = try Fixture.series(folder) }
            #expect(
                error.problem == "holds 2 CT series: 1.2.3 'Lung 1.0', 3 slices of 4 x 3; "
                    + "1.2.4 'Bone?2.0', 2 slices of 2 x 2")
            #expect(error.remedy?.contains("--series UID") == true)
            let chosen = try Fixture.series(folder, uid: "1.2.4")
            #expect(chosen.uid == "1.2.4" && chosen.geometry.extent == ZYX(2, 2, 2))
            #expect(chosen.notes == ["1 other CT series"])
            let wrong = try #require(throws: InputError.self) { _ = try Fixture.series(folder, uid: "1.2.5") }
            #expect(wrong.problem.contains("no CT series 1.2.5 among 1.2.3"))
        }
    }

    @Test func foldersWithoutDICOMAreNone() throws {
        try withTemporaryDirectory { folder in
            try AtomicFile.write("no scan", to: "\(folder)/notes.txt")
            for path in [folder, "\(folder)/notes.txt", "\(folder)/absent"] {
                let series = try DICOMSeries(folder: path)
                #expect(series == nil)
            }
        }
        try Fixture.withFolder("explicit") { folder in
            let error = try #require(throws: InputError.self) { _ = try DICOMSeries(folder: "\(folder)/a.dcm") }
            #expect(error.remedy?.contains("folder") == true)
        }
    }

    /// The case, where the message points, and what it says.
    @Test(arguments: [
        ("same place", "ImagePositionPatient", "the same place as"),
        ("missing slices", nil, "2.5 mm apart between -296.25 and -293.75 mm along their normal and at 1 more place,"),
        ("missing slices", nil, "1.25 mm elsewhere: missing at -295.0, -292.5, -291.25 mm"),
        ("changing distance", nil, "slices lie 1.65 mm apart between -298.75 and -297.1 mm"),
        ("rows", "Rows (0028,0010)", "2, but 3 in"), ("columns", "Columns", "5, but 4 in"),
        ("spacing", "PixelSpacing (0028,0030)", "0.7 x 0.6 mm, but 0.7 x 0.5 mm in"),
        ("orientation", "ImageOrientationPatient", "differs from that of"),
        ("tilted gantry", "ImagePositionPatient", "sheared by 15.0 degrees"),
        ("one slice", nil, "one slice only"), ("no CT", nil, "no CT series (1 image of modality RTSTRUCT)"),
        ("frames", "NumberOfFrames", "several frames"), ("colour", "SamplesPerPixel", "colour"),
        ("8 bits", "BitsAllocated", "is 8, expected 16"), ("no position", "ImagePositionPatient", "missing"),
        ("no orientation", "ImageOrientationPatient", "missing"), ("no spacing", "PixelSpacing", "missing"),
        ("no rows", "Rows", "missing"), ("skewed", "ImageOrientationPatient", "right angles"),
        ("slope of 0", "RescaleSlope", "is 0"),
        ("no rescaling", "RescaleSlope", "missing, so that the stored numbers mean no HU, and so in 2 more"),
        ("bits", "BitsStored", "17 bits"), ("huge", "Rows", "60000"),
        ("short pixels", "PixelData", "2 bytes, expected 24"),
        ("no pixels", "PixelData", "missing from a CT image"), ("path as UID", "SeriesInstanceUID", "digits and dots"),
        ("unknown syntax", "TransferSyntaxUID", "1.2.840.10008.1.2.9"), ("deflated", "TransferSyntaxUID", "deflated"),
    ]) func whatIsNoRegularScanIsRefused(_ name: String, _ place: String?, _ problem: String) throws {
        try Fixture.withFolder(name) { folder in
            let error = try #require(throws: InputError.self) { _ = try Fixture.series(folder) }
            #expect(error.file.hasPrefix(folder))
            #expect(error.problem.contains(problem), "\(error)")
            #expect(error.remedy != nil)
            if let place {
                #expect(error.place?.hasPrefix(place) == true, "\(error)")
            } else {
                #expect(error.place == nil)
            }
            #expect(!"\(error)".contains("Secret"))
        }
    }
}
