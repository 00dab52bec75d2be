import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

/// `luna convert` of a folder of DICOM.
@Suite(.runsPrograms) struct DICOMCommandTests {
    /// A case of DICOMTests' fixture.
    private struct Fixture: Decodable {
        struct Case: Decodable {
            var files: [String: String]
            var expected: Expected?
        }
        struct Expected: Decodable { var voxels: [Double] }
        var files: [String: Data]
        var cases: [String: Case]
    }

    private static func fixture() throws -> Fixture {
        try Repository.fixture("series.json", in: "DICOMTests", as: Fixture.self)
    }

    /// Writes the files of a case in the folder `dicom`, and makes a folder `masks`.
    private func withSeries(_ name: String, _ body: (String) throws -> Void) throws {
        let fixture = try Self.fixture()
        try withTemporaryDirectory { directory in
            try FileContent.makeDirectory("\(directory)/dicom")
            try FileContent.makeDirectory("\(directory)/masks")
            for (file, key) in try #require(fixture.cases[name]).files {
                let bytes = [UInt8](repeating: 0, count: 128) + [UInt8](try #require(fixture.files[key]))
                try AtomicFile.write(bytes, to: "\(directory)/dicom/\(file)")
            }
            try body(directory)
        }
    }

    @Test func seriesIsNoOptionForOtherScans() throws {
        try withTemporaryDirectory { directory in
            let volume = Volume(
                geometry: VolumeGeometry(extent: ZYX(2, 2, 2), spacing: ZYX(1, 1, 1)),
                voxels: [Int16](repeating: 0, count: 8))
            try MetaImage.write(volume, to: "\(directory)/a.mhd")
            let process = try luna(
                "convert", "--input", directory, "--output", "\(directory)/out", "--series", "1.2.3")
            #expect(process.status == 64 && process.diagnosis.contains("--series"))
        }
    }

    #if DICOM
        /// The uncompressed series and the compressed one hold the same scan: so does a MetaImage made of it.
        @Test(arguments: ["explicit", "JPEG 2000"]) func aFolderIsConvertedAsTheSameScanInMetaImage(_ name: String)
            throws
        {
            try withSeries(name) { directory in
                let geometry = VolumeGeometry(
                    extent: ZYX(3, 3, 4), spacing: ZYX(1.25, 0.7, 0.5), origin: ZYX(-300, 20.25, -100.5))
                let labels: [UInt8] = (0..<36).map { $0 % 4 < 2 ? 3 : 4 }
                try MetaImage.write(Volume(geometry: geometry, voxels: labels), to: "\(directory)/masks/1.2.3.mhd")
                // SimpleITK's voxels.
                let voxels = try #require(try Self.fixture().cases["explicit"]?.expected).voxels.map { Int16($0) }
                try MetaImage.write(Volume(geometry: geometry, voxels: voxels), to: "\(directory)/1.2.3.mhd")
                for (input, output) in [("dicom", "a"), ("1.2.3.mhd", "b")] {
                    let process = try luna(
                        "convert", "--input", "\(directory)/\(input)", "--masks", "\(directory)/masks", "--output",
                        "\(directory)/\(output)", "--crop-size", "16", "--jitter", "0")
                    try #require(process.status == 0, "\(process.diagnosis)")
                    #expect(!process.diagnosis.contains("Secret") && !process.output.contains("Secret"))
                }
                let volume = "volumes/fold0/1.2.3.h5"
                let converted = try FileContent.bytes("\(directory)/a/\(volume)")
                let same = try FileContent.bytes("\(directory)/b/\(volume)")
                #expect(converted == same)
                let manifest = String(decoding: try FileContent.bytes("\(directory)/a/dataset.json"), as: UTF8.self)
                #expect(!manifest.contains("Secret") && !manifest.contains("Lung 1.0"))
            }
        }

        @Test func oneOfSeveralSeriesIsAskedFor() throws {
            try withSeries("two series") { directory in
                let process = try luna(
                    "convert", "--input", "\(directory)/dicom", "--output", "\(directory)/out")
                #expect(process.status == 65)
                #expect(process.diagnosis.contains("1.2.3") && process.diagnosis.contains("--series UID"))
                let chosen = try luna(
                    "convert", "--input", "\(directory)/dicom", "--output", "\(directory)/out", "--series", "1.2.4")
                #expect(chosen.diagnosis.contains("left out: 1 other CT series"))
            }
        }
    #else
        @Test func aBuildWithoutGDCMSaysHowToBuildItIn() throws {
            try withSeries("explicit") { directory in
                let process = try luna(
                    "convert", "--input", "\(directory)/dicom", "--output", "\(directory)/out")
                #expect(process.status == 65)
                #expect(process.diagnosis.contains("swift build -c release --traits DICOM"))
                #expect(process.diagnosis.split(separator: "\n").count == 1)
            }
        }
    #endif
}
