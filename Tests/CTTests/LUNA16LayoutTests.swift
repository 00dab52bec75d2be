import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@Suite struct LUNA16LayoutTests {
    private func touch(_ root: String, _ paths: String...) throws {
        for path in paths {
            let file = "\(root)/\(path)"
            try FileContent.makeDirectory(Path.directory(of: file))
            try AtomicFile.write("", to: file)
        }
    }

    @Test func findsSubsetsMasksAndAnnotations() throws {
        try withTemporaryDirectory { root in
            try touch(
                root, "subset3/b.mhd", "subset3/b.raw", "subset3/a.mhd", "subset0/subset0/c.mha", "subset11/x.mhd",
                "seg-lungs-LUNA16/a.mhd", "CSVFILES/annotations.csv")
            let layout = try LUNA16Layout(directory: root + "/")
            #expect(layout.scans.map(\.seriesUID) == ["c", "a", "b"])
            #expect(layout.scans.map(\.fold) == [0, 3, 3])
            #expect(layout.missingSubsets == [1, 2, 4, 5, 6, 7, 8, 9])
            #expect(layout.annotationsPath == "\(root)/CSVFILES/annotations.csv")
            #expect(try layout.maskPath(for: layout.scans[1]) == "\(root)/seg-lungs-LUNA16/a.mhd")
            let error = try #require(throws: InputError.self) { _ = try layout.maskPath(for: layout.scans[2]) }
            #expect(error.problem.contains("no lung mask") && error.file.hasSuffix("b.mhd"))
        }
    }

    @Test func takesOneSubsetOneScanOrAPlainDirectory() throws {
        try withTemporaryDirectory { root in
            try touch(root, "subset4/a.mhd", "subset4/b.mhd", "seg-lungs-LUNA16/a.mhd", "annotations.csv", "own/q.mha")
            let subset = try LUNA16Layout(directory: "\(root)/subset4")
            #expect(subset.scans.map(\.fold) == [4, 4])
            #expect(subset.maskDirectory == "\(root)/seg-lungs-LUNA16")
            let scan = try LUNA16Layout(directory: "\(root)/subset4/a.mhd")
            #expect(scan.scans == [.init(fold: 4, seriesUID: "a", path: "\(root)/subset4/a.mhd")])
            #expect(scan.annotationsPath == "\(root)/annotations.csv")
            #expect(scan.missingSubsets.isEmpty)
            let own = try LUNA16Layout(directory: "\(root)/own", masks: "\(root)/seg-lungs-LUNA16")
            #expect(own.scans.map(\.fold) == [0])
            #expect(own.annotationsPath == nil)
        }
    }

    @Test func takesEveryFormatAndOneMask() throws {
        try withTemporaryDirectory { root in
            try touch(
                root, "own/a.nii.gz", "own/b.nrrd", "own/c.nhdr", "own/c.raw", "own/.hidden.nii", "own/d.hdr",
                "masks/a.mhd", "masks/b.nii.gz", "lungs.nii")
            let own = try LUNA16Layout(directory: "\(root)/own", masks: "\(root)/masks")
            #expect(own.scans.map(\.seriesUID) == ["a", "b", "c"])
            #expect(try own.maskPath(for: own.scans[1]) == "\(root)/masks/b.nii.gz")
            let one = try LUNA16Layout(directory: "\(root)/own/a.nii.gz", masks: "\(root)/lungs.nii")
            #expect(one.scans.map(\.seriesUID) == ["a"])
            #expect(try one.maskPath(for: one.scans[0]) == "\(root)/lungs.nii")
            // One mask cannot be that of several scans.
            #expect(throws: InputError.self) {
                try LUNA16Layout(directory: "\(root)/own", masks: "\(root)/lungs.nii")
            }
            let pair = try #require(throws: InputError.self) { _ = try LUNA16Layout(directory: "\(root)/own/d.hdr") }
            #expect(pair.problem.contains("pair"))
        }
    }

    @Test func saysWhatWasExpected() throws {
        try withTemporaryDirectory { root in
            let empty = try #require(throws: InputError.self) { _ = try LUNA16Layout(directory: root) }
            #expect(empty.remedy?.contains("subset0") == true)
            #expect(throws: InputError.self) { try LUNA16Layout(directory: "\(root)/absent") }
            try touch(root, "subset0/a.mhd", "subset1/a.mhd", "notes.txt")
            let twice = try #require(throws: InputError.self) { _ = try LUNA16Layout(directory: root) }
            #expect(twice.problem.contains("same series"))
            #expect(throws: InputError.self) { try LUNA16Layout(directory: "\(root)/notes.txt") }
            #expect(throws: InputError.self) { try LUNA16Layout(directory: "\(root)/subset0", masks: "\(root)/none") }
        }
    }

    @Test func annotationsAreReadBySeries() throws {
        try withTemporaryDirectory { root in
            let path = "\(root)/annotations.csv"
            try AtomicFile.write(
                "seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2,-100.5,67.25,-231.8,6.4\n1.3,0,1,2,30\n1.2,3,4,5,7\n",
                to: path)
            let annotations = try ScanAnnotations.read(path)
            #expect(annotations["1.2"]?.map(\.diameter) == [6.4, 7])
            #expect(annotations["1.2"]?[0].center == WorldPoint(x: -100.5, y: 67.25, z: -231.8))
            #expect(annotations["1.3"]?.count == 1)
            try AtomicFile.write("seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2,1,2,3,-1\n", to: path)
            let error = try #require(throws: InputError.self) { _ = try ScanAnnotations.read(path) }
            #expect(error.place?.contains("line 2") == true)
        }
    }
}
