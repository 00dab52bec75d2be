import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

/// Lists of nodules in other forms than LUNA16's, given to commands.
@Suite(.runsPrograms) struct AnnotationFormsTests {
    private typealias Row = (scan: String, numbers: [Double])

    /// The phantoms' nodules, by scan.
    private func rows() throws -> [Row] {
        let lists = try ScanAnnotations.read("\(TinyData.shared.get().phantoms)/CSVFILES/annotations.csv")
        return lists.sorted { $0.key < $1.key }.flatMap { scan, nodules in
            nodules.map { (scan, [$0.center.x, $0.center.y, $0.center.z, $0.diameter]) }
        }
    }

    private func convert(_ output: String, _ annotations: String, input: String? = nil) throws -> ProgramRun {
        let phantoms = try TinyData.shared.get().phantoms
        return try luna(
            "convert", "--input", input ?? phantoms, "--masks", "\(phantoms)/seg-lungs-LUNA16", "--output", output,
            "--annotations", annotations, "--crop-size", "32", "--background-patches", "1")
    }

    private func json(_ rows: [Row]) -> String {
        let entries = Dictionary(grouping: rows, by: \.scan).sorted { $0.key < $1.key }.map { scan, rows in
            let boxes = rows.map { "\(($0.numbers + [$0.numbers[3], $0.numbers[3]]))" }
            let labels = Array(repeating: "0", count: rows.count)
            return "{\"image\": \"images/\(scan).nii.gz\", \"box\": [\(boxes.joined(separator: ", "))], "
                + "\"label\": [\(labels.joined(separator: ", "))]}"
        }
        let (training, validation) = (entries.prefix(1), entries.dropFirst())
        return "{\"training\": [\(training.joined())], \"validation\": [\(validation.joined(separator: ", "))]}"
    }

    @Test func theSameNodulesGiveTheSameBytes() throws {
        let rows = try rows()
        try #require(Set(rows.map(\.scan)).count > 1)
        func table(_ header: String, _ line: (Row) -> [String]) -> String {
            header + "\n" + rows.map { line($0).joined(separator: ",") + "\n" }.joined()
        }
        let lists = [
            "csv": table("seriesuid,coordX,coordY,coordZ,diameter_mm") { [$0.scan] + $0.numbers.map { "\($0)" } },
            "json": json(rows),
            "dlcs": table("nodule_id,ct_nifti_file,coordX,coordY,coordZ,w,h,d") {
                ["n", "\($0.scan).nii.gz"] + ($0.numbers + [$0.numbers[3], $0.numbers[3]]).map { "\($0)" }
            },
        ]
        try withTemporaryDirectory { directory in
            var made: [String: [String: Data]] = [:]
            for (form, text) in lists {
                try AtomicFile.write(text, to: "\(directory)/\(form).list")
                let run = try convert("\(directory)/\(form)", "\(directory)/\(form).list")
                try #require(run.status == 0, "\(run.diagnosis)")
                #expect(run.output.contains(" \(rows.count) nodules"), "\(run.output)")
                made[form] = try filesBelow("\(directory)/\(form)")
            }
            let expected = try #require(made["csv"])
            #expect(expected.keys.contains { $0.hasPrefix("shards/") })
            for form in ["json", "dlcs"] {
                let names = expected.keys.filter { made[form]?[$0] != expected[$0] }
                #expect(names.isEmpty && made[form]?.count == expected.count, "\(form): \(names)")
            }
        }
    }

    @Test func masksOfInstancesAreConverted() throws {
        let rows = try rows()
        try withTemporaryDirectory { directory in
            let labels = "\(directory)/labelsTr"
            try FileContent.makeDirectory(labels)
            for scan in try LUNA16Layout(directory: TinyData.shared.get().phantoms).scans {
                let geometry = try ScanFile(path: scan.path).geometry
                let own = rows.filter { $0.scan == scan.seriesUID }.map(\.numbers)
                var voxels: [UInt8] = []
                for z in 0..<geometry.extent.z {
                    for y in 0..<geometry.extent.y {
                        for x in 0..<geometry.extent.x {
                            let point = geometry.world(ZYX(z, y, x).map(Double.init))
                            let inside = own.firstIndex {
                                let (dx, dy, dz) = (point.x - $0[0], point.y - $0[1], point.z - $0[2])
                                return (dx * dx + dy * dy + dz * dz).squareRoot() <= $0[3] / 2
                            }
                            voxels.append(inside.map { UInt8($0 + 1) } ?? 0)
                        }
                    }
                }
                let found = Set(voxels).subtracting([0]).sorted()
                try #require(found.count == own.count)
                let name = scan.seriesUID.replacing(".", with: "_")
                try MetaImage.write(Volume(geometry: geometry, voxels: voxels), to: "\(labels)/\(name).mha")
                let classes = found.map { "\"\($0)\": 0" }.joined(separator: ", ")
                try AtomicFile.write("{\"instances\": {\(classes)}}", to: "\(labels)/\(name).json")
            }
            let run = try convert("\(directory)/out", directory)
            #expect(run.status == 0 && run.output.contains(" \(rows.count) nodules"), "\(run.diagnosis)")
            #expect(run.diagnosis.contains("read as nnDetection's masks"))
            // A mask that is missing makes its scan a bad one, and no other.
            let first = rows[0].scan.replacing(".", with: "_")
            try FileManager.default.removeItem(atPath: "\(labels)/\(first).mha")
            let broken = try convert("\(directory)/other", directory)
            #expect(broken.status == 65 && broken.diagnosis.contains("no mask \(first)"), "\(broken.diagnosis)")
            #expect(broken.diagnosis.contains("1 of 4 scans cannot be converted"))
        }
    }

    @Test func outlinesAreConverted() throws {
        let row = try #require(try rows().first { $0.numbers[3] > 6 })
        let layout = try LUNA16Layout(directory: TinyData.shared.get().phantoms)
        let scan = try #require(layout.scans.first { $0.seriesUID == row.scan })
        let geometry = try ScanFile(path: scan.path).geometry
        let signs = try #require(geometry.axisSigns).map(Double.init)
        let way = ZYX(row.numbers[2], row.numbers[1], row.numbers[0]) - geometry.origin
        let middle = (way * signs).zip(geometry.spacing) { Int(($0 / $1).rounded()) }
        let outlines = (-1...1).map { slice in
            let corners = [(-3, -3), (3, -3), (3, 3), (-3, 3)].map { x, y in
                "<edgeMap><xCoord>\(middle.x + x)</xCoord><yCoord>\(middle.y + y)</yCoord></edgeMap>"
            }
            let z = geometry.origin.z + geometry.spacing.z * signs.z * Double(middle.z + slice)
            return "<roi><imageZposition>\(z)</imageZposition>\(corners.joined())</roi>"
        }
        let session =
            "<readingSession><unblindedReadNodule>\(outlines.joined())</unblindedReadNodule></readingSession>"
        try withTemporaryDirectory { directory in
            try FileContent.makeDirectory("\(directory)/157")
            let text =
                "<LidcReadMessage><ResponseHeader><SeriesInstanceUid>\(row.scan)</SeriesInstanceUid></ResponseHeader>"
                + String(repeating: session, count: 3) + "</LidcReadMessage>"
            try AtomicFile.write(text, to: "\(directory)/157/1.xml")
            let run = try convert("\(directory)/out", directory, input: scan.path)
            #expect(run.status == 0 && run.output.contains(" 1 nodules"), "\(run.diagnosis)")
        }
    }

    @Test func candidatesAreHeldAgainstEveryForm() throws {
        let rows = try rows()
        try withTemporaryDirectory { directory in
            func write(_ name: String, _ text: String) throws -> String {
                try AtomicFile.write(text, to: "\(directory)/\(name)")
                return "\(directory)/\(name)"
            }
            func table(_ rows: [[String]]) -> String { rows.map { $0.joined(separator: ",") + "\n" }.joined() }
            let coordinates = ["seriesuid", "coordX", "coordY", "coordZ"]
            let candidates = try write(
                "c.csv",
                table(
                    [coordinates + ["probability"]]
                        + rows.dropFirst().map { [$0.scan] + $0.numbers.prefix(3).map { "\($0)" } + ["0.5"] }))
            let lists = [
                try write(
                    "a.csv",
                    table([coordinates + ["diameter_mm"]] + rows.map { [$0.scan] + $0.numbers.map { "\($0)" } })),
                try write("b.list", json(rows)),
            ]
            var results: [Data] = []
            for list in lists {
                let run = try luna(
                    "evaluate", "--candidates", candidates, "--annotations", list, "--bootstrap", "20", "--output",
                    "\(directory)/out")
                #expect(run.status == 0, "\(run.diagnosis)")
                results.append(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/out/froc.json")))
            }
            #expect(results[0] == results[1])
            let series = try write("series.csv", "1.9\n")
            let others = try luna(
                "evaluate", "--candidates", candidates, "--annotations", lists[1], "--series", series, "--output",
                "\(directory)/x")
            #expect(others.status == 65 && others.diagnosis.contains("b.list: names"), "\(others.diagnosis)")
            let strange = try convert("\(directory)/y", write("d.list", json([("1.9", [1, 2, 3, 4])])))
            #expect(strange.status == 65 && strange.diagnosis.contains("names 1 series, such as 1.9"))
        }
    }
}
