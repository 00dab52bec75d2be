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

    /// Archives that nest each folder once more, or several times, and the whole.
    @Test(arguments: ["", "LUNA16/", "LUNA16/LUNA16/"]) func findsWhatIsNested(_ nest: String) throws {
        try withTemporaryDirectory { directory in
            let (root, inner) = ("\(directory)/LUNA16", "\(directory)/LUNA16/\(nest)")
            try touch(
                inner, "subset3/subset3/a.mhd", "subset4/b.mhd", "subset5/subset5/subset5/c.nii.gz",
                "seg-lungs-LUNA16/seg-lungs-LUNA16/a.mhd", "CSVFILES/CSVFILES/annotations.csv")
            let layout = try LUNA16Layout(directory: root)
            #expect(layout.scans.map(\.seriesUID) == ["a", "b", "c"] && layout.scans.map(\.fold) == [3, 4, 5])
            #expect(
                try layout.maskPath(for: layout.scans[0])?.hasSuffix("seg-lungs-LUNA16/seg-lungs-LUNA16/a.mhd") == true)
            #expect(layout.annotationsPath?.hasSuffix("CSVFILES/CSVFILES/annotations.csv") == true)
            for path in ["subset3", "subset3/subset3", "subset3/subset3/a.mhd"] {
                let part = try LUNA16Layout(directory: "\(inner)\(path)")
                #expect(part.scans.map(\.fold) == [3])
                #expect(try part.maskPath(for: part.scans[0]) != nil && part.annotationsPath != nil, "\(path)")
            }
            let given = try LUNA16Layout(directory: "\(inner)subset3", masks: "\(inner)seg-lungs-LUNA16/")
            #expect(try given.maskPath(for: given.scans[0]) != nil)
        }
    }

    @Test func twoReadingsAreRefusedWithBoth() throws {
        func refusal(_ paths: [String], _ read: (String) throws -> Void) throws -> String {
            try withTemporaryDirectory { root in
                for path in paths {
                    try touch(root, path)
                    if path.hasSuffix(".csv") { try AtomicFile.write(path, to: "\(root)/\(path)") }
                }
                return "\(try #require(throws: InputError.self) { try read(root) })"
            }
        }
        let inFolder: (String) throws -> Void = { _ = try LUNA16Layout(directory: $0) }
        for (paths, named) in [
            (["subset0/a.mhd", "b.mhd"], ["subset0/a.mhd", "b.mhd"]),
            (["subset0/a.mhd", "subset0/subset0/b.mhd"], ["a.mhd", "b.mhd"]),
            (
                ["subset0/a.mhd", "seg-lungs-LUNA16/a.mhd", "seg-lungs-LUNA16/seg-lungs-LUNA16/b.mhd"],
                ["a.mhd", "b.mhd"]
            ),
            (
                ["subset0/a.mhd", "annotations.csv", "CSVFILES/annotations.csv"],
                ["/annotations.csv", "CSVFILES/annotations.csv"]
            ),
        ] {
            let text = try refusal(paths, inFolder)
            #expect(named.allSatisfy(text.contains), "\(text)")
        }
        let masks = try refusal(["subset0/a.mhd", "seg-lungs-LUNA16/a.mhd", "seg-lungs-LUNA16/a.nii.gz"]) {
            let layout = try LUNA16Layout(directory: $0)
            _ = try layout.maskPath(for: layout.scans[0])
        }
        #expect(masks.contains("a.mhd and") || masks.contains("a.nii.gz are both there"))
        // A list that is there twice, with the same bytes, is one list.
        try withTemporaryDirectory { root in
            try touch(root, "subset0/a.mhd", "annotations.csv", "CSVFILES/annotations.csv")
            #expect(try LUNA16Layout(directory: root).annotationsPath == "\(root)/CSVFILES/annotations.csv")
        }
    }

    @Test func whatAFolderHoldsInsteadOfScansIsSaid() throws {
        try withTemporaryDirectory { root in
            try touch(root, "a.hdr", "a.img", "b.img", "notes", "subset0.zip", "deep/x.txt", ".hidden")
            let error = try #require(throws: InputError.self) { _ = try LUNA16Layout(directory: root) }
            #expect(
                error.problem == "holds no scan, but 2 files in .img, 1 file without an ending, 1 file in .hdr, "
                    + "1 file in .zip, 1 folder")
            #expect(error.remedy?.hasPrefix("unpack subset0.zip; expected subset0/") == true)
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
