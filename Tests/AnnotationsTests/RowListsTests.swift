import Basics
import CT
import FileIO
import TestSupport
import Testing

@testable import Annotations

/// The lists that name nodules in world millimetres: MONAI's and DLCS24's.
@Suite struct RowListsTests {
    private func read(_ text: String, name: String = "list") throws -> AnnotationList {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(text, to: "\(directory)/\(name)")
            return try AnnotationList(contentsOf: "\(directory)/\(name)")
        }
    }

    private func nodules(_ list: AnnotationList, _ scan: String) throws -> [[Double]] {
        try list.nodules(of: scan) { throw InputError(scan, "the frame was asked for") }
            .map { [$0.center.x, $0.center.y, $0.center.z, $0.diameter] }
    }

    private static let head = "patient-id,nodule_id,ct_nifti_file,coordX,coordY,coordZ,w,h,d,Malignant_lbl,split\n"

    @Test(arguments: ["dataset_fold0.json", "list.csv"]) func monaiIsReadWhateverItsName(name: String) throws {
        let list = try read(
            """
            \u{FEFF}{"name": "luna", "numTraining": 2, "training": [
              {"image": "a/1.2.3.nii.gz", "box": [[-10.5, 20, -3e1, 4, 4, 4], [1, 2, 3, 4, 5, 9]], "label": [0, 0.0]},
              {"image": "1.2.4.mhd", "box": [], "label": []}],
             "validation": [{"image": "x/1.2.5.nii/", "box": [[]], "label": []}, {"image": "dicom/1.2.6/",
              "box": [[0, 0, 0, 30, 30, 30]], "label": [0]}], "test": ["t/1.2.7.nii.gz", {"image": "1.2.8.nii.gz"}]}
            """, name: name)
        #expect(list.form == "MONAI's JSON" && !list.isLUNA16)
        let scans = ["1.2.3", "1.2.4", "1.2.5", "1.2.6", "1.2.7", "1.2.8"]
        #expect(try list.series(among: ["1.2.6", "x"]) == scans)
        #expect(try nodules(list, "1.2.3") == [[-10.5, 20, -30, 4], [1, 2, 3, 6]])
        #expect(try nodules(list, "1.2.6") == [[0, 0, 0, 30]])
        for empty in ["1.2.4", "1.2.5", "1.2.7", "1.2.8", "unknown"] { #expect(try nodules(list, empty) == []) }
    }

    @Test func dlcsIsReadWhateverItsName() throws {
        let list = try read(
            Self.head + """
                DLCS_0001,DLCS_0001_01,DLCS_0001.nii.gz,-106.55,-63.84,-211.68,4.5,4.5,6,0,train
                DLCS_0001,DLCS_0001_02,DLCS_0001.nii.gz,1,2,3,0.1,0.1,0.1,1,val
                DLCS_0002,DLCS_0002_01,images/DLCS_0002.nii.gz,1,2,3,7,7,7,1,test
                """, name: "list.json")
        #expect(list.form == "DLCS24's CSV")
        #expect(try list.series(among: []) == ["DLCS_0001", "DLCS_0002"])
        // The diameter of a cube is its edge to the last bit.
        #expect(try nodules(list, "DLCS_0001") == [[-106.55, -63.84, -211.68, 5], [1, 2, 3, 0.1]])
        #expect(try nodules(list, "DLCS_0002") == [[1, 2, 3, 7]])
    }

    @Test func lunasOwnListIsWhatElseIsATable() throws {
        let head = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"
        let list = try read(head + "1.2,1,2,3,4.5\n")
        #expect(list.isLUNA16)
        #expect(try nodules(list, "1.2") == [[1, 2, 3, 4.5]])
        // The sum of rows is that of LUNA16's list with the same rows.
        let json = try read(
            #"{"training": [{"image": "1.2.nii", "box": [[1, 2, 3, 4.5, 4.5, 4.5]], "label": [0]}]}"#)
        try withTemporaryDirectory { directory in
            var sums: [UInt32] = []
            for row in ["1.2,1.0,2.0,3.0,4.5\n", "1.2,1,2,3,4.5\n"] {
                try AtomicFile.write(head + row, to: "\(directory)/list.csv")
                sums.append(try AnnotationList(contentsOf: "\(directory)/list.csv").checksum())
            }
            #expect(try json.checksum() == sums[0] && sums[0] != sums[1])
        }
    }

    /// A scan turned in its file keeps its nodule: lists are LPS whatever the affine.
    @Test(arguments: [[1, 1, 1], [-1, 1, 1], [-1, -1, 1], [1, -1, -1]])
    func placesInNIfTIScansAreThoseOfTheWorld(signs: [Int]) throws {
        let root = Repository.fixture("short", in: "CTTests")
        let scan = try MetaImage.read("\(root)/scan.mhd", as: Int16.self)
        let geometry = scan.geometry
        try #require(geometry.axisSigns == ZYX(1, 1, 1))
        // Off the middle along every axis, so that a mirrored one is another.
        let place = ZYX(geometry.extent.z / 2, geometry.extent.y / 3, geometry.extent.x / 3)
        let world = place.map(Double.init) * geometry.spacing + geometry.origin
        let nodule = NoduleAnnotation(center: WorldPoint(x: world.x, y: world.y, z: world.z), diameter: 5)
        let expected = try Preprocessing.cleanVolume(
            scanPath: "\(root)/scan.mhd", maskPath: "\(root)/mask.mhd", seriesUID: "scan", annotations: [nodule])
        let middle = try #require(expected.nodules.first).center
        let numbers = "\(world.x), \(world.y), \(world.z)"
        let lists = [
            "{\"training\": [{\"image\": \"f/scan.nii.gz\", \"box\": [[\(numbers), 5, 5, 5]], \"label\": [0]}]}",
            Self.head + "p,n,scan.nii.gz,\(numbers),5,5,5,0,train\n",
        ]
        try withTemporaryDirectory { directory in
            try MadeNIfTI.write(scan, signs: signs, to: "\(directory)/scan.nii")
            for text in lists {
                let nodules = try read(text).nodules(of: "scan") { try ScanFrame(scanPath: "") }
                let clean = try Preprocessing.cleanVolume(
                    scanPath: "\(directory)/scan.nii", maskPath: "\(root)/mask.mhd", seriesUID: "scan",
                    annotations: nodules)
                #expect(clean.voxels == expected.voxels)
                let found = try #require(clean.nodules.first).center
                // NIfTI keeps places in 24 bits.
                for axis in 0..<3 { #expect(abs(found[axis] - middle[axis]) < 1e-3, "\(found) is not \(middle)") }
            }
        }
    }

    private static func entry(_ box: String, label: String = "[0]", image: String = "\"1.nii\"") -> String {
        "{\"training\": [{\"image\": \(image), \"box\": \(box), \"label\": \(label)}]}"
    }

    @Test(arguments: [
        (entry("[[1, 2, 3, 0, 4, 4]]"), "training[0].box[0]", "above 0"),
        (entry("[[1, 2, 3, 4, -4, 4]]"), "training[0].box[0]", "above 0"),
        (entry("[[1, 2, 3, 4, 4, 1000]]"), "training[0].box[0]", "below 1000"),
        (entry("[[1, 2, 3, 4, 4]]"), "training[0].box[0]", "5 numbers"),
        (entry("[[], [1, 2, 3, 4, 4, 4]]", label: "[0, 0]"), "training[0].box[0]", "0 numbers"),
        (entry("[[[1, 2, 3, 4, 4, 4]]]"), "training[0].box[0][0]", "expected a number"),
        (entry("[1, 2, 3, 4, 4, 4]"), "training[0].box[0]", "expected a list"),
        (entry("[[1, 2, \"3\", 4, 4, 4]]"), "training[0].box[0][2]", "expected a number"),
        (entry("[[1, 2, null, 4, 4, 4]]"), "training[0].box[0][2]", "expected a number"),
        (entry("[[\"nan\", 2, 3, 4, 4, 4]]"), "training[0].box[0]", "nan"),
        (entry("[[1, 2, 3, 4, 4, 4]]", label: "[1]"), "training[0].label[0]", "expected 0"),
        (entry("[[1, 2, 3, 4, 4, 4]]", label: "[]"), "training[0].label", "0 labels for 1 boxes"),
        (entry("[[1, 2, 3, 4, 4, 4]]", label: "[true]"), "training[0].label[0]", "expected a number"),
        (entry("[[1, 2, 3, 4, 4, 4]]", label: "0"), "training[0].label", "expected a list"),
        (entry("[]", label: "[]", image: "\"\""), "training[0].image", "names no file"),
        (entry("[]", label: "[]", image: "7"), "training[0].image", "expected a text"),
        (entry("[[1, 2, 3, 4, 4, 4], [1, 2, 3, 4, 4, 4]]", label: "[0, 0]"), "training[0].box[1]", "listed twice"),
        (#"{"training": [{"image": "a.nii", "label": "b.nii"}]}"#, "training[0]", "segmentation"),
        (#"{"training": [{"box": [], "label": []}]}"#, "training[0]", "no member image"),
        (#"{"training": 7}"#, "training", "expected a list"),
        (
            #"{"training": [{"image": "x/a.nii", "box": [], "label": []}], "test": ["y/a.nii.gz"]}"#, "test[0]",
            "stands in training[0]"
        ),
    ])
    func whatIsWrongInJSONIsNamed(text: String, place: String, problem: String) throws {
        let error = try #require(throws: InputError.self) { try read(text) }
        #expect(error.place == place && error.description.contains(problem), "\(error)")
        #expect(error.file.hasSuffix("/list"))
    }

    @Test(arguments: [
        ("{\"training\": [", "not valid JSON, or cut off"), (#"{"training": [NaN]}"#, "not valid JSON"),
        (#"{"images": []}"#, "JSON with the members images"), ("[1, 2]", "expected an object"),
        (String(repeating: "{\"a\":", count: 100_000), "not valid JSON"),
        ("{\"training\":" + String(repeating: "[", count: 100_000), "not valid JSON"),
        ("", "is empty"), ("<html></html>", "XML with the element html"), ("<!DOCTYPE html>", "document type"),
    ])
    func whatIsNoListIsRefused(text: String, problem: String) throws {
        let error = try #require(throws: InputError.self) { try read(text) }
        #expect(error.description.contains(problem), "\(error)")
    }

    @Test(arguments: [
        ("s.nii.gz,1,2,3,4,0,4,0,train", "line 3", "above 0"), ("s.nii.gz,1,2,3,-4,4,4,0,train", "line 3", "above 0"),
        ("s.nii.gz,1,2,3,nan,4,4,0,train", "line 3, w", "expected a number"),
        ("s.nii.gz,1,x,3,4,4,4,0,train", "line 3, coordY", "expected a number"),
        (",1,2,3,4,4,4,0,train", "line 3, ct_nifti_file", "names no file"),
        ("r.nii.gz,1,2,3,4,4,4,0,train", "line 3", "listed twice"), ("s.nii.gz,1,2", "line 3", "fields"),
    ])
    func whatIsWrongInDLCSIsNamed(row: String, place: String, problem: String) throws {
        let error = try #require(throws: InputError.self) {
            try read(Self.head + "p,n1,r.nii.gz,1,2,3,4,4,4,0,train\np,n2,\(row)\n")
        }
        #expect(error.place == place && error.description.contains(problem), "\(error)")
        let missing = try #require(throws: InputError.self) { try read("ct_nifti_file,coordX,coordY,coordZ,w,h\n") }
        #expect(missing.description.contains("no column d"))
    }
}
