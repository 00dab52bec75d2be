import Basics
import CT
import Evaluation
import FileIO
import Foundation
import PatchData
import TestSupport
import Testing

@testable import Report

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct ReportTests {
    static let hostile = "<script>alert('1')</script>&\""

    /// One volume with a nodule that is found, one that is missed, and a false positive; a second, healthy scan.
    private static let volume = CleanVolume(
        seriesUID: "1.2", extent: ZYX(40, 50, 60), voxels: [UInt8](repeating: 90, count: 40 * 50 * 60),
        frame: WorldFrame(
            origin: ZYX(-100, 20, 3), spacing: ZYX(1, 1, 1), flipped: false, scanExtent: ZYX(40, 50, 60),
            cropStart: ZYX(0, 0, 0)),
        nodules: [Nodule(center: ZYX(20, 20, 20), diameter: 8), Nodule(center: ZYX(10, 30, 41), diameter: 12)])

    private static func result(series: String = "1.2", folds: [String: Int] = [:]) -> EvaluationResult {
        let nodules = volume.nodules.map { nodule in
            let p = volume.frame.world(nodule.center)
            return Finding(seriesUID: series, x: p.x, y: p.y, z: p.z, diameter: nodule.diameter)
        }
        func candidate(_ voxel: ZYX<Double>, _ probability: Double) -> Candidate {
            let p = volume.frame.world(voxel)
            return Candidate(seriesUID: series, x: p.x, y: p.y, z: p.z, probability: probability, diameter: 7)
        }
        return EvaluationResult(
            [candidate(ZYX(20, 21, 20), 0.9), candidate(ZYX(30, 10, 10), 0.75)],
            ReferenceStandard(scans: [series, "9"], nodules: nodules, excluded: []), folds: folds, resamples: 40)
    }

    private static func page(_ report: Report) throws -> (text: String, document: XMLDocument) {
        let text = try report.page()
        return (text, try XMLDocument(xmlString: text))
    }

    private static func count(_ path: String, _ document: XMLDocument) throws -> Int {
        try document.nodes(forXPath: path).count
    }

    @Test func smallestPage() throws {
        let (text, document) = try Self.page(Report(Self.result()))
        #expect(try Self.count("//svg", document) == 2)  // FROC and nodule sizes
        for absent in ["comparison", "folds", "training", "configuration"] {
            #expect(try Self.count("//h2[@id='\(absent)']", document) == 0, "\(absent)")
        }
        for present in ["curve", "sizes", "false-positives", "missed", "unsure", "inputs", "terms"] {
            #expect(try Self.count("//h2[@id='\(present)']", document) == 1, "\(present)")
            #expect(try Self.count("//nav/a[@href='#\(present)']", document) == 1, "\(present)")
        }
        // Without volumes there are tables, no pictures.
        #expect(try Self.count("//img", document) == 0)
        #expect(try Self.count("//section[h2/@id='missed']//tbody/tr", document) == 1)
        #expect(text.contains("1 of 2 nodules in 2 scans"))
        #expect(text == (try Report(Self.result()).page()))
    }

    /// Nothing is loaded from elsewhere, and what files say does not become part of the page.
    @Test func hostileTexts() throws {
        let result = Self.result(series: Self.hostile, folds: [Self.hostile: 1, "9": 2])
        var report = Report(result, comparison: Comparison([(Self.hostile, result), ("b", result)]))
        report.warnings = [Self.hostile]
        report.inputs = [Report.Input(Self.hostile, Self.hostile)]
        try withTemporaryDirectory { directory in
            try AtomicFile.write("seed: 1 # " + Self.hostile, to: "\(directory)/config.yaml")
            report.run = try RunLog(directory: directory)
            let (text, document) = try Self.page(report)
            #expect(!text.contains("<script") && !text.contains("http://") && !text.contains("https://"))
            #expect(!text.contains("@import") && !text.contains("url("))
            #expect(try Self.count("//script", document) == 0 && Self.count("//link", document) == 0)
            #expect(try Self.count("//section[h2/@id='comparison']//tbody/tr", document) == 2)
            // Two folds, their mean, and all scans; the fold without nodules has no sensitivity.
            #expect(try Self.count("//section[h2/@id='folds']//tbody/tr", document) == 4)
            #expect(try Self.count("//section[h2/@id='folds']//tbody/tr[2]/td[.='–']", document) == 8)
            #expect(try document.nodes(forXPath: "//pre").first?.stringValue == "seed: 1 # " + Self.hostile)
            let names = try document.nodes(forXPath: "//section[h2/@id='comparison']//tbody/tr/th")
            #expect(names.first?.stringValue == Self.hostile)
        }
    }

    @Test func picturesWhereThereAreVolumes() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/1.2.h5"
            try CleanVolumeFile.write(Self.volume, to: path)
            var report = Report(Self.result())
            report.volumes = ["1.2": path]
            let (text, document) = try Self.page(report)
            // The false positive, the missed nodule and the one that is found.
            let sources = try document.nodes(forXPath: "//img/@src").compactMap(\.stringValue)
            #expect(sources.count == 3)
            for source in sources {
                let data = try #require(Data(base64Encoded: source.replacing("data:image/png;base64,", with: "")))
                #expect(Array(data.prefix(4)) == [0x89, 0x50, 0x4E, 0x47])
            }
            #expect(try Self.count("//img[@alt]", document) == 3)
            #expect(text == (try report.page()))
            try AtomicFile.write("no volume", to: path)
            #expect(throws: InputError.self) { try report.page() }
        }
    }

    /// More findings than are drawn are counted.
    @Test func longListsAreCut() throws {
        let candidates = (0..<60).map {
            Candidate(seriesUID: "1", x: Double(50 * $0), y: 0, z: 0, probability: 1 - Double($0) / 100)
        }
        let reference = ReferenceStandard(
            scans: ["1"], nodules: [Finding(seriesUID: "1", x: -30, y: 0, z: 0, diameter: 5)], excluded: [])
        let (text, document) = try Self.page(Report(EvaluationResult(candidates, reference, resamples: 0)))
        #expect(try Self.count("//section[h2/@id='false-positives']//tbody/tr", document) == 25)
        #expect(text.contains("The first 25 of 60 are shown."))
        #expect(text.contains("Most confident false positives (60)"))
    }

    @Test func nothingAtAll() throws {
        let reference = ReferenceStandard(scans: ["1"], nodules: [], excluded: [])
        let (_, document) = try Self.page(Report(EvaluationResult([], reference, resamples: 10)))
        #expect(try Self.count("//h2[@id='sizes']", document) == 0)
        #expect(try Self.count("//h2[@id='missed']", document) == 0)
    }
}
