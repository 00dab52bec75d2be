import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import DICOM

/// Series as archives and scanners leave them: read as GDCM, pydicom and dcm2niix read them, or refused with the cause.
@Suite struct OddSeriesTests {
    /// Eight slices of 1.25 mm.
    private static let slices = (0..<8).map { MadeSlice($0, z: "\(-300 + 1.25 * Double($0))") }
    private static let voxels = (0..<8).flatMap { MadeSlice.words($0).map { Double($0) - 1024 } }

    private func withSeries<T>(
        _ slices: [MadeSlice] = Self.slices, _ others: [String: MadeSlice] = [:], _ body: (String) throws -> T
    ) throws -> T {
        try withTemporaryDirectory { folder in
            for (index, slice) in slices.enumerated() {
                try slice.write(to: "\(folder)/\(index.zeroPadded(to: 3)).dcm")
            }
            for (name, slice) in others { try slice.write(to: "\(folder)/\(name)") }
            return try body(folder)
        }
    }

    private func expectVoxels(_ series: DICOMSeries, _ voxels: [Double] = Self.voxels) throws {
        #expect(try series.volume(as: Double.self).voxels == voxels)
    }

    private func refusal(_ folder: String, uid: String? = nil, acquisition: String? = nil) throws -> InputError {
        try #require(throws: InputError.self) {
            _ = try DICOMSeries(DICOMFolder(folder), folder: folder, uid: uid, acquisition: acquisition)
        }
    }

    private func changed(_ slice: MadeSlice, _ change: (inout MadeSlice) -> Void) -> MadeSlice {
        var slice = slice
        change(&slice)
        return slice
    }

    // MARK: Pixels

    @Test(arguments: [2, 24, 128]) func bytesBehindThePixelsArePassedOverAndSaid(_ count: Int) throws {
        var slices = Self.slices
        for index in [2, 5] {
            slices[index].setPixels(MadeSlice.words(index), behind: Array(repeating: 0, count: count))
        }
        try withSeries(slices) { folder in
            let series = try Fixture.series(folder)
            try expectVoxels(series)
            #expect(series.warnings.count == 1)
            #expect(series.warnings.first?.hasPrefix("2 files hold more bytes in PixelData than voxels") == true)
            #expect(series.warnings.first?.contains("002.dcm with \(count) behind") == true)
        }
    }

    // MARK: Places

    /// A step and the number of decimals to which positions are rounded.
    @Test(arguments: [(0.625, 1), (0.7, 1), (0.35, 1), (0.45, 1), (1.0 / 3, 1), (0.625, 2), (2.96, 0), (5.05, 0)])
    func roundedPositionsAreRegular(_ step: Double, _ decimals: Int) throws {
        let positions = (0..<8).map { String(format: "%.\(decimals)f", -301.2 + step * Double($0)) }
        try withSeries(positions.enumerated().map { MadeSlice($0, z: $1) }) { folder in
            let series = try Fixture.series(folder)
            try expectVoxels(series)
            // The mean distance, as ITK has it.
            let ends = try #require(Double(positions[7])) - #require(Double(positions[0]))
            #expect(abs(series.geometry.spacing.z - ends / 7) < 1e-9)
        }
    }

    @Test func positionsThatNoRoundingExplainsAreRefused() throws {
        for positions in [
            // A missing slice of 0.625 mm steps rounded to tenths; one moved; one beyond the others.
            ["0.0", "0.6", "1.2", "1.9", "3.1", "3.8", "4.4", "5.0"],
            ["0.00", "1.25", "2.50", "4.05", "5.00", "6.25", "7.50", "8.75"],
            ["0", "1", "2", "3", "4", "5", "6", "8"],
            ["0", "1", "3", "4"], ["0", "2.5", "7.5", "10"],
            ["0.0", "0.6", "1.2", "1.9", "2.5", "3.1", "3.8", "5.0"],
        ] {
            try withSeries(positions.enumerated().map { MadeSlice($0, z: $1) }) { folder in
                let error = try refusal(folder)
                #expect(error.problem.contains("slices lie"), "\(error)")
            }
        }
    }

    // MARK: Copies and acquisitions

    @Test func copiesAreLeftOutAndCounted() throws {
        let copies = Dictionary(
            uniqueKeysWithValues: Self.slices.enumerated().map { index, slice in
                // Another private element, or the same bytes.
                ("\(index.zeroPadded(to: 3))(1).dcm", changed(slice) { if index % 2 == 0 { $0[Tag(9, 16)] = "A" } })
            })
        try withSeries(Self.slices, copies) { folder in
            let series = try Fixture.series(folder)
            try expectVoxels(series)
            #expect(series.notes == ["8 copies of other slices"])
        }
    }

    @Test func differentSlicesAtOnePlaceAreAllNamed() throws {
        let others = Dictionary(
            uniqueKeysWithValues: [1, 4, 6].map { index in
                ("x\(index).dcm", changed(Self.slices[index]) { $0.setPixels(MadeSlice.words(index + 1)) })
            })
        try withSeries(Self.slices, others) { folder in
            let error = try refusal(folder)
            #expect(error.file.hasSuffix("x1.dcm") && error.problem.contains("001.dcm"))
            #expect(
                error.problem.contains("2 more pairs like that: x4.dcm and 004.dcm, x6.dcm and 006.dcm"), "\(error)")
        }
    }

    @Test(arguments: [false, true]) func oneOfSeveralAcquisitionsIsChosen(_ isShifted: Bool) throws {
        let first = Self.slices.map { slice in changed(slice) { $0[.acquisitionNumber] = "1" } }
        let second = (0..<8).map { index in
            changed(MadeSlice(index + 1, z: "\(-300 + 1.25 * Double(index) + (isShifted ? 0.4 : 0))")) {
                $0[.acquisitionNumber] = "2"
            }
        }
        try withSeries(first + second) { folder in
            let error = try refusal(folder)
            #expect("\(error)".contains("AcquisitionNumber") && "\(error)".contains("1 (8 images), 2 (8 images)"))
            #expect(error.remedy?.contains("--acquisition") == true)
            let files = try DICOMFolder(folder)
            let one = try DICOMSeries(files, folder: folder, uid: nil, acquisition: "1")
            try expectVoxels(one)
            #expect(one.notes == ["8 images of other acquisitions"])
            let two = try DICOMSeries(files, folder: folder, uid: nil, acquisition: "2")
            try expectVoxels(two, (1..<9).flatMap { MadeSlice.words($0).map { Double($0) - 1024 } })
            let none = try refusal(folder, acquisition: "3")
            #expect(none.problem.contains("1 (8 images), 2 (8 images)"))
        }
    }

    /// A scan in two parts, each with a number of its own, is one scan.
    @Test func acquisitionsAtDifferentPlacesAreOne() throws {
        let slices = Self.slices.enumerated().map { index, slice in
            changed(slice) { $0[.acquisitionNumber] = index < 4 ? "1" : "2" }
        }
        try withSeries(slices) { try expectVoxels(Fixture.series($0)) }
    }

    // MARK: What is left out

    @Test func filesWithoutPreambleAreReadAndSaid() throws {
        for (isExplicit, hasDescription) in [(true, true), (true, false), (false, true), (false, false)] {
            let slices = Self.slices.map { slice in
                changed(slice) {
                    ($0.isExplicit, $0.hasDescription, $0.hasPreamble) = (isExplicit, hasDescription, false)
                }
            }
            try withSeries(slices) { folder in
                let series = try Fixture.series(folder)
                try expectVoxels(series)
                #expect(series.warnings.first?.hasPrefix("8 files look like DICOM without its preamble") == true)
            }
        }
        // The files have a preamble, but no description.
        try withSeries(Self.slices.map { slice in changed(slice) { $0.hasDescription = false } }) { folder in
            let series = try Fixture.series(folder)
            try expectVoxels(series)
            #expect(series.warnings.isEmpty)
        }
    }

    @Test func whatWasLeftOutIsToldWithTheErrorThatFollows() throws {
        try withSeries(Array(Self.slices[..<3] + Self.slices[4...])) { folder in
            try AtomicFile.write("a", to: "\(folder)/notes.txt")
            var report = Self.slices[0]
            report[.modality] = "MR"
            try report.write(to: "\(folder)/mr.dcm")
            let error = try refusal(folder)
            #expect(error.problem.contains("missing at -296.25 mm"))
            #expect(error.problem.contains("left out: 1 file that is not DICOM, 1 image of modality MR"), "\(error)")
        }
    }

    @Test func picturesAndScoutsInTheSeriesAreLeftOut() throws {
        let secondary = "1.2.840.10008.5.1.4.1.1.7"
        func picture(_ change: (inout MadeSlice) -> Void) -> MadeSlice {
            changed(Self.slices[0]) {
                $0[.imagePositionPatient] = nil
                change(&$0)
            }
        }
        let pictures: [(MadeSlice, String)] = [
            (picture { $0[.sopClassUID] = secondary }, "1 image without a place in the patient"),
            (
                picture {
                    $0[.sopClassUID] = secondary
                    ($0[.imageOrientationPatient], $0[.pixelSpacing], $0[.rescaleSlope]) = (nil, nil, nil)
                    $0.set(.bitsAllocated, 8)
                }, "1 image without a place in the patient"
            ),
            (picture { $0[.imageType] = #"DERIVED\SECONDARY"# }, "1 image without a place in the patient"),
            (picture { $0[.imageOrientationPatient] = nil }, "1 image without a place in the patient"),
            (
                picture {
                    $0.set(.samplesPerPixel, 3)
                    $0.set(.rows, 600)
                }, "1 image without a place in the patient"
            ),
            (
                changed(Self.slices[0]) {
                    ($0[.pixelSpacing], $0[.imageOrientationPatient]) = (nil, #"1\0\0\0\0\-1"#)
                }, "1 scout image"
            ),
        ]
        for (index, (picture, note)) in pictures.enumerated() {
            try withSeries(Self.slices, ["picture": picture]) { folder in
                let series = try Fixture.series(folder)
                try expectVoxels(series)
                #expect(series.notes == [note], "\(index)")
            }
        }
        // A slice by all other signs is a fault, told once for all that have it.
        try withSeries(Self.slices.enumerated().map { i, s in changed(s) { if i < 3 { $0[.pixelSpacing] = nil } } }) {
            let error = try refusal($0)
            #expect(error.place?.hasPrefix("PixelSpacing") == true)
            #expect(error.problem.contains("and so in 2 more of the series' 8 files"))
        }
    }

    @Test func damagedFilesAreNamedUnlessTheyAreTheSeriesOwn() throws {
        func write(_ slice: MadeSlice, cut count: Int, to path: String) throws {
            try FileContent.makeDirectory(Path.directory(of: path))
            try AtomicFile.write(Array(slice.bytes.dropLast(count)), to: path)
        }
        let other = MadeSlice(0, z: "0", uid: "1.9", modality: "MR")
        let length = other.bytes.count
        for (name, slice, count) in [
            ("mr/a", other, 10), ("mr/a", other, length - 240), ("a", other, 10),
            // Another CT series, cut behind its UID and before it.
            ("ct/a", MadeSlice(0, z: "0", uid: "1.8"), 10), ("ct/a", MadeSlice(0, z: "0", uid: "1.8"), length - 240),
            ("a", MadeSlice(0, z: "0", uid: "1.8"), 10),
        ] {
            try withSeries { folder in
                try write(slice, cut: count, to: "\(folder)/\(name)")
                for uid in [nil, "1.2.3"] {
                    let series = try Fixture.series(folder, uid: uid)
                    try expectVoxels(series)
                    #expect(series.notes.count == 1)
                    #expect(series.notes.first?.hasPrefix("1 damaged file: \(folder)/\(name) (") == true)
                }
            }
        }
        for (name, count) in [("deep/a", 10), ("a", 10), ("a", length - 240)] {
            try withSeries { folder in
                try write(MadeSlice(9, z: "-290"), cut: count, to: "\(folder)/\(name)")
                #expect(try refusal(folder).file == "\(folder)/\(name)")
            }
        }
    }

    // MARK: Encodings

    /// A sequence of unknown kind, whose items are implicit by the standard and explicit by some writers.
    @Test(arguments: [false, true]) func sequencesOfUnknownKindAreReadInEitherEncoding(_ isExplicit: Bool) throws {
        let endless: [UInt8] = [0xff, 0xff, 0xff, 0xff]
        let item: [UInt8] = [0xfe, 0xff, 0, 0xe0] + endless
        let ends: [UInt8] = [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]
        let inner =
            MadeSlice.element(Tag(0x0009, 0x1010), "LO", Array("ABCD".utf8), isExplicit: isExplicit)
            + MadeSlice.element(Tag(0x0009, 0x1011), "OB", [1, 2], isExplicit: isExplicit)
        let sequence =
            [9, 0, 1, 0x10] + Array("UN".utf8) + [0, 0] + endless + item + inner + ends + item + ends
            + [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]
        let slices = Self.slices.map { slice in changed(slice) { $0.raw[Tag(0x0009, 0x1001)] = sequence } }
        try withSeries(slices) { try expectVoxels(Fixture.series($0)) }
    }

    @Test func enhancedImagesAreCalledSo() throws {
        for (frames, storage) in [("1", "1.2.840.10008.5.1.4.1.1.2.1"), ("8", "1.2.840.10008.5.1.4.1.1.2.2")] {
            let image = changed(Self.slices[0]) {
                ($0[.sopClassUID], $0[.numberOfFrames], $0[.imagePositionPatient]) = (storage, frames, nil)
            }
            try withSeries([image]) { folder in
                let error = try refusal(folder)
                #expect(error.problem.contains("enhanced CT") && error.remedy?.contains("emf2sf") == true, "\(error)")
            }
        }
    }

    // MARK: Values

    @Test(arguments: [[false, true], [true, false], [false, false]])
    func rescalingIsRequired(_ isThere: [Bool]) throws {
        let tags = zip([DICOM.Tag.rescaleSlope, .rescaleIntercept], isThere).filter { !$0.1 }.map(\.0)
        for absent in [[3], Array(0..<8)] {
            var slices = Self.slices
            for index in absent { for tag in tags { slices[index][tag] = nil } }
            try withSeries(slices) { folder in
                let error = try refusal(folder)
                #expect(error.place == tags[0].description && error.problem.contains("missing"))
                #expect(error.problem.contains("7 more") == (absent.count == 8))
            }
        }
    }

    @Test func slicesWithRescalingOfTheirOwnAreReadAndSaid() throws {
        var slices = Self.slices
        (slices[3][.rescaleSlope], slices[3][.rescaleIntercept]) = ("2", "0")
        try withSeries(slices) { folder in
            let series = try Fixture.series(folder)
            let expected = (0..<8).flatMap { index in
                MadeSlice.words(index).map { index == 3 ? 2 * Double($0) : Double($0) - 1024 }
            }
            try expectVoxels(series, expected)
            #expect(series.warnings.count == 1 && series.warnings[0].contains("differ among the slices"))
            #expect(series.warnings[0].contains("2.0 and 0.0 in 1 (such as \(folder)/003.dcm)"), "\(series.warnings)")
        }
    }
}
