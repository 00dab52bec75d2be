import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

/// Inputs of another kind than a command takes, or of two kinds: the message says what they are.
@Suite(.runsPrograms) struct ForeignInputTests {
    private struct Fixture: Decodable {
        struct Case: Decodable { var files: [String: String] }
        var files: [String: Data]
        var cases: [String: Case]
    }

    /// Writes a scan, `scan.mhd`, of 5 x 4 x 3 voxels.
    private func writeScan(in directory: String) throws {
        let geometry = VolumeGeometry(extent: ZYX(3, 4, 5), spacing: ZYX(2.5, 0.5, 0.5))
        try MetaImage.write(
            Volume(geometry: geometry, voxels: [Int16](repeating: 0, count: 60)), to: "\(directory)/scan.mhd")
    }

    private func writeSlices(in directory: String) throws {
        let fixture = try Repository.fixture("series.json", in: "DICOMTests", as: Fixture.self)
        for (file, key) in try #require(fixture.cases["explicit"]).files {
            let bytes = [UInt8](repeating: 0, count: 128) + [UInt8](try #require(fixture.files[key]))
            try AtomicFile.write(bytes, to: "\(directory)/\(file)")
        }
    }

    private func line(_ arguments: String...) throws -> String {
        let process = try luna(arguments)
        #expect(process.status == 65, "\(process.diagnosis)")
        return process.diagnosis
    }

    @Test func inspectSaysWhatAScanIs() throws {
        try withTemporaryDirectory { directory in
            try writeScan(in: directory)
            let scan = try line("inspect", "\(directory)/scan.mhd")
            #expect(scan.contains("MetaImage, 5 x 4 x 3 voxels of 0.5 x 0.5 x 2.5 mm, MET_SHORT"), "\(scan)")
            #expect(scan.contains("luna convert"))
            #expect(try line("inspect", directory).contains("a folder of scans"))
            #expect(
                try line("view", "\(directory)/scan.mhd", "--output", "\(directory)/p").contains("a MetaImage header"))
            try FileContent.makeDirectory("\(directory)/slices")
            try writeSlices(in: "\(directory)/slices")
            #expect(try line("inspect", "\(directory)/slices").contains("the DICOM series 1.2.3"))
            #expect(try line("inspect", "\(directory)/slices/a.dcm").contains("one DICOM file"))
            try FileContent.makeDirectory("\(directory)/run/checkpoints")
            #expect(try line("inspect", "\(directory)/run").contains("luna status"))
        }
    }

    @Test func aFolderOfTwoKindsIsRefusedWithBoth() throws {
        try withTemporaryDirectory { directory in
            try writeScan(in: directory)
            try FileContent.makeDirectory("\(directory)/slices")
            for place in ["slices", "."] {
                try writeSlices(in: "\(directory)/\(place)")
                let text = try line("convert", "--input", directory, "--output", "\(directory)/out")
                #expect(text.contains("holds scan.mhd and the DICOM series 1.2.3"), "\(text)")
                #expect(text.contains("slices of 4 x 3") && text.contains("--series UID"))
            }
            // The file by itself, and the slices by their UID, are one reading each.
            let file = try line("convert", "--input", "\(directory)/scan.mhd", "--output", "\(directory)/out")
            #expect(file.contains("no voxel below -500 HU"), "\(file)")
            let slices = try luna(
                "convert", "--input", directory, "--output", "\(directory)/out", "--series", "1.2.3")
            #expect(!slices.diagnosis.contains("scan.mhd and"))
        }
    }
}
