import Annotations
import Basics
import CT
import Evaluation
import FileIO
import PatchData
import Training

extension FuzzTarget {
    /// Annotations, candidates, findings and lists of series.
    static let table = FuzzTarget(
        name: "table", file: "table.csv",
        words: [
            "seriesuid", "coordX", "coordY", "coordZ", "diameter_mm", "probability", ",", "\"\"", "\"", "\r\n", "\r",
            "\n", "nan", "inf", "-0", "1e999", "0x1p3", "\u{FEFF}", "\t",
        ],
        seed: { _ in
            [
                "seriesuid,coordX,coordY,coordZ,diameter_mm,probability\n1.2,-1.5,2e1,3,4.5,0.25\n1.3,0,0,0,7,1\n",
                "\u{FEFF}seriesuid,coordX,coordY,coordZ,diameter_mm\r\n\"1,2\", 1 ,2,3,4\r\n\r\n",
                "diameter_mm,extra,coordZ,coordY,coordX,seriesuid\r3,\"a\"\"b\",1,2,3,x\r", "1.2.3\n1.2.4\n",
                "seriesuid\n1",
            ].map { Array($0.utf8) }
        },
        read: { path in
            try attempt { _ = try ScanAnnotations.read(path) }
            try attempt { _ = try CandidateFile.read(path) }
            try attempt { _ = try ReferenceStandard.findings(path) }
            try attempt { _ = try ReferenceStandard.series(path) }
            try attempt { _ = try FoldList.read(path) }
            try attempt {
                let table = try CSVTable(contentsOf: path, requiring: ["seriesuid"])
                for row in 0..<table.count { _ = (table.text(row, "seriesuid"), table.line(row)) }
            }
        })

    /// Lists of nodules of all forms that are one file.
    static let annotations = FuzzTarget(
        name: "annotations", file: "list",
        words: [
            "\"training\"", "\"validation\"", "\"test\"", "\"image\"", "\"box\"", "\"label\"", "\"instances\"", "null",
            "1e400", "[[[[", "ct_nifti_file", "<roi>", "</roi>", "<edgeMap>", "<xCoord>", "<!DOCTYPE ", "<![CDATA[",
            "]]>",
            "<!--", "-->", "&#x10FFFF;", "&amp;", "/>", "FALSE", "65535",
        ],
        seed: { _ in
            let outline = { (z: Int, x: Int) in
                "<roi><imageZposition>\(z)</imageZposition><inclusion>TRUE</inclusion>"
                    + [(x, 1), (x + 3, 1), (x + 3, 4), (x, 4)].map {
                        "<edgeMap><xCoord>\($0.0)</xCoord><yCoord>\($0.1)</yCoord></edgeMap>"
                    }.joined() + "</roi>"
            }
            let session =
                "<readingSession><unblindedReadNodule><noduleID>1</noduleID>\(outline(1, 2))\(outline(2, 3))"
                + "</unblindedReadNodule></readingSession>"
            return [
                #"{"training": [{"image": "a/1.nii.gz", "box": [[1, 2, 3, 4, 5, 6]], "label": [0]}], "test": ["2"]}"#,
                #"{"instances": {}}"#,
                "nodule_id,ct_nifti_file,coordX,coordY,coordZ,w,h,d\n1,1.nii.gz,-1,2,3,4,5,6\n",
                "<?xml version=\"1.0\"?><!-- a --><LidcReadMessage xmlns=\"b\"><ResponseHeader><SeriesInstanceUid>1"
                    + "</SeriesInstanceUid></ResponseHeader>\(session)\(session)\(session)</LidcReadMessage>",
            ].map { Array($0.utf8) }
        },
        read: { path in
            try attempt {
                let list = try AnnotationList(contentsOf: path)
                let geometry = VolumeGeometry(extent: ZYX(8, 8, 8), spacing: ZYX(1, 1, 1))
                for scan in try list.series(among: ["1", "2"]) {
                    _ = try list.nodules(of: scan) { ScanFrame(geometry: geometry, source: "scan") }
                }
                _ = try list.checksum()
            }
        })

    static let manifest = FuzzTarget(
        name: "manifest", file: "dataset.json",
        words: [
            "\"format\"", "\"version\"", "\"luna-dataset\"", "\"options\"", "\"folds\"", "\"created_by\"",
            "\"axis_order\"", "\"voxel_mm\"", "\"patch_side\"", "\"missing_subsets\"", "\"outside_labels\"",
            "\"skipped_scans\"", "\"crop_size\"", "\"jitter\"", "\"background_patches\"", "\"annotations_crc32\"",
            "\"shards\"", "\"volumes\"", "\"path\"", "\"bytes\"", "\"crc32\"", "null", "true", "\\u0000", "\\ud800",
            "1e400", "9223372036854775807", "-9223372036854775808", "[[[[[[[[", "{\"a\":{\"a\":",
        ],
        seed: { _ in
            let file = { (path: String, kind: String) in
                "{\"path\":\"\(path)\",\"bytes\":800,\"crc32\":4294967295,\(kind),\"nodules\":2}"
            }
            let fold =
                "{\"fold\":3,\"scans\":1,\"nodules\":2,\"patches\":3,\"shards\":["
                + file("shards/fold3-00000.h5", "\"patches\":3") + "],\"volumes\":["
                + file("volumes/fold3/1.h5", "\"seriesuid\":\"1\"") + "]}"
            let options = "{\"preset\":\"luna16\",\"crop_size\":32,\"jitter\":4,\"background_patches\":3,\"seed\":5}"
            return [[], [fold]].map { folds in
                Array(
                    """
                    {"format":"luna-dataset","version":1,"created_by":"luna convert","axis_order":"z, y, x",
                    "voxel_mm":1,"options":\(options),"patch_side":51,"folds":[\(folds.joined())],
                    "missing_subsets":[0,1],"outside_labels":[{"seriesuid":"1","x":1,"y":-2.5,"z":3e1,"diameter":4}],
                    "skipped_scans":[{"seriesuid":"2","fold":1,"reason":"cut off"}]}
                    """.utf8)
            }
        },
        read: { path in
            let directory = String(path.prefix { $0 != "." }.dropLast("/dataset".count))
            try attempt {
                let manifest = try DatasetManifest(directory: directory)
                _ = (manifest.scans, manifest.nodules, manifest.patches)
            }
            try attempt { _ = try PatchDataset(directory: directory) }
            try attempt { _ = try Inspection(directory) }
        })

    static let configuration = FuzzTarget(
        name: "configuration", file: "config.yaml",
        words: TrainingConfiguration().yaml().split(separator: "\n").map { "\($0.prefix { $0 != ":" }):" } + [
            "flip:", "swap:", "null", "true", "~", "&a", "*a", "<<:", "!!int", "!!float", "!!str", "!!binary", "---",
            "- ", "? ", "|", ">", "0x7fffffffffffffff", "0b1", "0o7", "1:30:00", ".inf", ".nan", "{", "}", "[", "]",
        ],
        seed: { _ in
            let all = TrainingConfiguration().yaml()
            return [
                all, "preset: dsb2017\nseed: 7\naugment: {flip: false, swap: true}\n",
                "replicas: 8 # comment\ncrop_size: 0x60\nlearning_rate: 1e-2\noutput_prior: .01\n",
                "augment:\n  flip: &a true\n  swap: *a\ninitial_weights: \"a\\n\\u00e9\"\n", "---\nepochs: 3\n...\n",
            ].map { Array($0.utf8) }
        },
        read: { path in
            try attempt {
                let configuration = try TrainingConfiguration.read(path)
                // What is printed must read as what it was.
                let again = try TrainingConfiguration.parse(configuration.yaml(), file: path)
                precondition(again == configuration, "\(configuration.yaml())")
            }
            try attempt {
                let text = String(decoding: try FileContent.bytes(path), as: UTF8.self)
                _ = try TrainingConfiguration.read(nil, overrides: [text])
            }
        })
}
