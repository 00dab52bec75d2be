import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import Annotations

/// LIDC-IDRI's readings.
@Suite struct LIDCTests {
    /// An outline: a rectangle whose corners are given.
    private struct Outline {
        var z: Double
        var x: ClosedRange<Int>
        var y: ClosedRange<Int>
        var isIncluded = true

        var text: String {
            let corners = [
                (x.lowerBound, y.lowerBound), (x.upperBound, y.lowerBound), (x.upperBound, y.upperBound),
                (x.lowerBound, y.upperBound), (x.lowerBound, y.lowerBound),
            ]
            let points = x.count == 1 && y.count == 1 ? [corners[0]] : corners
            let edges = points.map { "<edgeMap><xCoord>\($0.0)</xCoord>\n<yCoord>\($0.1)</yCoord></edgeMap>" }
            return "<roi>\n<imageZposition>\(z)</imageZposition><imageSOP_UID>1.9</imageSOP_UID>"
                + "<inclusion>\(isIncluded ? "TRUE" : "FALSE")</inclusion>\(edges.joined())</roi>"
        }
    }

    private static func document(_ readers: [[[Outline]]], series: String = "1.2.3") -> String {
        let sessions = readers.map { nodules in
            "<readingSession><servicingRadiologistID>anon</servicingRadiologistID>"
                + nodules.map {
                    "<unblindedReadNodule><noduleID>N&amp;1</noduleID>" + $0.map(\.text).joined()
                        + "</unblindedReadNodule>"
                }.joined()
                + "<nonNodule><nonNoduleID>7</nonNoduleID><imageZposition>9</imageZposition>"
                + "<locus><xCoord>1</xCoord><yCoord>1</yCoord></locus></nonNodule></readingSession>"
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- > a comment < -->
            <LidcReadMessage uid="1.3>" xmlns="http://www.nih.gov">
            <ResponseHeader><SeriesInstanceUid>
              \(series) </SeriesInstanceUid><CTSeriesInstanceUid/></ResponseHeader>
            \(sessions.joined(separator: "\n"))
            </LidcReadMessage>

            """
    }

    private static let geometry = VolumeGeometry(
        extent: ZYX(20, 64, 64), spacing: ZYX(2, 0.5, 0.5), origin: ZYX(-30, 20, -100))

    private func nodules(
        _ text: String, _ geometry: VolumeGeometry = Self.geometry
    ) throws -> [NoduleAnnotation] {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(text, to: "\(directory)/list.csv")
            let list = try AnnotationList(contentsOf: "\(directory)/list.csv")
            #expect(list.form == "LIDC-IDRI's XML")
            #expect(try list.series(among: []) == ["1.2.3"])
            return try list.nodules(of: "1.2.3") { ScanFrame(geometry: geometry, source: "scan") }
        }
    }

    /// A box of 9 x 7 x 2 voxels around (15, 24, 10.5), with outlines just outside of it.
    private static let box = [
        Outline(z: -30 + 2 * 10, x: 10...20, y: 20...28), Outline(z: -30 + 2 * 11, x: 10...20, y: 20...28),
    ]

    private func expect(_ nodule: NoduleAnnotation?, _ center: [Double], voxels: Double) throws {
        let nodule = try #require(nodule)
        let found = [nodule.center.x, nodule.center.y, nodule.center.z]
        for (a, b) in zip(found, center) { #expect(abs(a - b) < 1e-9, "\(found) is not \(center)") }
        #expect(abs(nodule.diameter - pow(6 * voxels * 0.5 / .pi, 1.0 / 3)) < 1e-9)
    }

    @Test func whatIsWithinTheOutlinesCounts() throws {
        let text = Self.document([[Self.box], [Self.box], [Self.box], []])
        let found = try nodules(text)
        #expect(found.count == 1)
        try expect(found.first, [-100 + 0.5 * 15, 20 + 0.5 * 24, -30 + 2 * 10.5], voxels: 9 * 7 * 2)
        // Indices run against the world, as in LUNA16's turned scans.
        var turned = Self.geometry
        turned.orientation = VolumeGeometry.turned
        try expect(
            nodules(text, turned).first, [-100 - 0.5 * 15, 20 - 0.5 * 24, -30 + 2 * 10.5], voxels: 9 * 7 * 2)
        // Slices from the head to the feet: z is z.
        var downward = Self.geometry
        downward.origin.z = -30 + 2 * 19
        downward.orientation[8] = -1
        try expect(
            nodules(text, downward).first, [-100 + 0.5 * 15, 20 + 0.5 * 24, -30 + 2 * 10.5], voxels: 9 * 7 * 2)
    }

    @Test func aHoleIsCutOut() throws {
        // 3 x 3 voxels of one slice, around (12, 24): they draw the middle to the other side.
        let hole = Outline(z: -10, x: 10...14, y: 22...26, isIncluded: false)
        let found = try nodules(Self.document([[Self.box + [hole]], [[hole] + Self.box], [Self.box + [hole]]]))
        let (all, cut) = (126.0, 9.0)
        let x = (15 * all - 12 * cut) / (all - cut)
        let z = (10.5 * all - 10 * cut) / (all - cut)
        try expect(found.first, [-100 + 0.5 * x, 20 + 0.5 * 24, -30 + 2 * z], voxels: all - cut)
        let nothing = try #require(throws: InputError.self) {
            try nodules(Self.document([[[Self.box[0], Outline(z: -10, x: 1...40, y: 1...40, isIncluded: false)]]]))
        }
        #expect(nothing.description.contains("holes leave nothing"))
    }

    @Test func threeReadersMakeANodule() throws {
        func moved(_ by: Int) -> [Outline] {
            Self.box.map { Outline(z: $0.z, x: 10 + by...20 + by, y: $0.y) }
        }
        let point = [Outline(z: -10, x: 30...30, y: 30...30)]
        // Two readers, one of them twice, are not three; points are below 3 mm.
        #expect(try nodules(Self.document([[moved(0), moved(1)], [moved(2)], [point], [point]])).isEmpty)
        #expect(try nodules(Self.document([[point], [point], [point], [point]])).isEmpty)
        // The mean of the readers; a second nodule 12 mm away is another.
        let far = moved(24)
        let found = try nodules(
            Self.document([[moved(0)], [far, moved(1)], [far, moved(2)], [moved(5), far]]))
        #expect(found.count == 2)
        try expect(found.first, [-100 + 0.5 * 17, 32, -9], voxels: 126)
        try expect(found.last, [-100 + 0.5 * 39, 32, -9], voxels: 126)
    }

    @Test func outlinesOfAnotherScanAreRefused() throws {
        func problem(_ outline: Outline, _ geometry: VolumeGeometry = Self.geometry) throws -> InputError {
            try #require(throws: InputError.self) { try nodules(Self.document([[[outline]]]), geometry) }
        }
        for z in [-29.0, -32, 10] {
            let error = try problem(Outline(z: z, x: 1...5, y: 1...5))
            #expect(error.description.contains("no slice") && error.place == "line 6", "\(error)")
        }
        #expect(try problem(Outline(z: -10, x: 60...64, y: 1...5)).description.contains("64 columns"))
        #expect(try problem(Outline(z: -10, x: 1...5, y: 60...64)).description.contains("row 64"))
        var sagittal = Self.geometry
        sagittal.orientation = [0, 1, 0, 0, 0, 1, 1, 0, 0]
        #expect(try problem(Outline(z: -10, x: 1...5, y: 1...5), sagittal).remedy?.contains("DICOM") == true)
        try withTemporaryDirectory { directory in
            try MetaImage.write(
                Volume(geometry: Self.geometry, voxels: [Int16](repeating: 0, count: 20 * 64 * 64)),
                to: "\(directory)/1.2.3.mha")
            try MadeNIfTI.write(
                MetaImage.read("\(directory)/1.2.3.mha", as: Int16.self), signs: [-1, -1, 1],
                to: "\(directory)/1.2.3.nii")
            try AtomicFile.write(Self.document([[Self.box], [Self.box], [Self.box]]), to: "\(directory)/list")
            let list = try AnnotationList(contentsOf: "\(directory)/list")
            #expect(try list.nodules(of: "1.2.3") { try ScanFrame(scanPath: "\(directory)/1.2.3.mha") }.count == 1)
            let error = try #require(throws: InputError.self) {
                try list.nodules(of: "1.2.3") { try ScanFrame(scanPath: "\(directory)/1.2.3.nii") }
            }
            #expect(error.description.contains("1.2.3.nii does not tell"))
        }
    }

    @Test func aFolderHoldsManyScans() throws {
        try withTemporaryDirectory { directory in
            for (folder, series) in [("157", "1.2.3"), ("185/b", "1.2.4")] {
                try FileContent.makeDirectory("\(directory)/\(folder)")
                try AtomicFile.write(
                    Self.document([[Self.box], [Self.box], [Self.box]], series: series),
                    to: "\(directory)/\(folder)/1.xml")
            }
            try AtomicFile.write("<IdriReadMessage><a/></IdriReadMessage>", to: "\(directory)/157/0.xml")
            let list = try AnnotationList(contentsOf: directory)
            #expect(try list.series(among: []) == ["1.2.3", "1.2.4"])
            #expect(
                try list.nodules(of: "1.2.4") { ScanFrame(geometry: Self.geometry, source: "scan") }.count == 1)
            try AtomicFile.write(Self.document([], series: "1.2.4"), to: "\(directory)/2.xml")
            let error = try #require(throws: InputError.self) { try AnnotationList(contentsOf: directory) }
            #expect(error.description.contains("1.2.4, and so is"))
        }
    }

    @Test(arguments: [
        ("<a>", "</a>", "more than 64 deep"), ("</roi>", "", "unblindedReadNodule> closes nothing"),
        ("</LidcReadMessage>", "", "ends within <LidcReadMessage> of line 3"),
        ("</LidcReadMessage>", "</LidcReadMessage><b/>", "more than one"),
        ("N&amp;1", "&bomb;", "&bomb; is not known"), ("N&amp;1", "&", "& without a name"),
        ("N&amp;1", "&#xD800;", "not known"), ("N&amp;1", "<!ENTITY b \"b\">", "document type or entity"),
        ("<LidcReadMessage", "<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/hostname\">]>\n<LidcReadMessage", "document type"),
        ("<xCoord>10<", "<xCoord>1.5<", "no whole numbers as xCoord"),
        ("<xCoord>10<", "<xCoord>-1<", "no whole numbers as xCoord"),
        ("<xCoord>10<", "<xCoord>99999999999999999999<", "no whole numbers as xCoord"),
        ("<imageZposition>-10.0<", "<imageZposition>nan<", "no number as imageZposition"),
        ("<inclusion>TRUE<", "<inclusion>MAYBE<", "inclusion is MAYBE"),
        ("SeriesInstanceUid>\n", "Other>\n", "</SeriesInstanceUid> closes nothing"),
        ("1.2.3", "", "no SeriesInstanceUid"), ("<noduleID>", "<noduleID", "is not closed"),
        ("<!-- > a comment", "<!-- > a -- >", "no xml"),
    ])
    func whatIsWrongInXMLIsNamed(part: String, other: String, problem: String) throws {
        var text = Self.document([[Self.box], [Self.box], [Self.box]])
        if part == "<a>" {
            text = text.replacing("<readingSession>", with: String(repeating: "<a>", count: 100_000))
        } else if let range = text.firstRange(of: part) {
            text.replaceSubrange(range, with: other)
        }
        if problem == "no xml" {
            // A comment may hold what looks like its end.
            #expect(try nodules(text).count == 1)
            return
        }
        let error = try #require(throws: InputError.self) { try nodules(text) }
        #expect(error.description.contains(problem), "\(error)")
        #expect(error.place?.hasPrefix("line ") == true)
    }

    @Test func everyBeginOfADocumentIsRefused() throws {
        let text = Array(Self.document([[Self.box]]).utf8)
        try withTemporaryDirectory { directory in
            let path = "\(directory)/list.xml"
            for count in stride(from: 60, to: text.count - 2, by: 23) {
                try AtomicFile.write(Array(text[..<count]), to: path)
                #expect(throws: InputError.self, "\(count)") { try LIDCReading(contentsOf: path) }
            }
        }
    }
}
