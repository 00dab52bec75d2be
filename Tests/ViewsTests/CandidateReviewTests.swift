import Basics
import CT
import Evaluation
import FileIO
import Pictures
import TestSupport
import Testing

@testable import Views

@Suite struct CandidateReviewTests {
    private static let volume = CleanVolume(
        seriesUID: "1.2", extent: ZYX(40, 50, 60), voxels: [UInt8](repeating: 100, count: 40 * 50 * 60),
        frame: WorldFrame(
            origin: ZYX(-100.5, 20.25, 3), spacing: ZYX(2.5, 0.7, 0.7), flipped: true, scanExtent: ZYX(20, 90, 91),
            cropStart: ZYX(1, 2, 3)),
        nodules: [Nodule(center: ZYX(20, 20, 20), diameter: 8), Nodule(center: ZYX(10, 30, 41), diameter: 12)])

    private static func candidate(
        _ voxel: ZYX<Double>, _ probability: Double, scan: String = "1.2", diameter: Double? = 8
    ) -> Candidate {
        let point = volume.frame.world(voxel)
        return Candidate(
            seriesUID: scan, x: point.x, y: point.y, z: point.z, probability: probability, diameter: diameter)
    }

    /// Strictly closer than the radius, as the evaluation has it.
    @Test func hitsAreLUNA16s() {
        let candidates = [
            Self.candidate(ZYX(20, 20, 23.9), 0.5), Self.candidate(ZYX(20, 20, 24.1), 0.9),
            Self.candidate(ZYX(10, 30, 41), 0.7, scan: "other"), Self.candidate(ZYX(5, 5, 5), 0.9),
        ]
        let review = CandidateReview(Self.volume, candidates)
        #expect(review.candidates.map(\.probability) == [0.9, 0.9, 0.5])
        #expect(review.candidates[0] == candidates[1])
        #expect(review.candidates.map { review.hit($0) } == [nil, nil, 0])
        #expect(review.finder(of: 0) == 2 && review.finder(of: 1) == nil)
        let matching = Matching(
            candidates.filter { $0.seriesUID == "1.2" },
            ReferenceStandard(
                scans: ["1.2"],
                nodules: Self.volume.nodules.map {
                    let point = Self.volume.frame.world($0.center)
                    return Finding(seriesUID: "1.2", x: point.x, y: point.y, z: point.z, diameter: $0.diameter)
                }, excluded: []))
        #expect(matching.counts.detected == 1 && matching.missed.count == 1)
    }

    @Test func diametersAreReadWhereTheyAre() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/c.csv"
            let candidates = [Self.candidate(ZYX(5, 6, 7), 0.25, diameter: 6.5), Self.candidate(ZYX(5, 6, 7), 0.5)]
            try CandidateFile.write(candidates, to: path)
            #expect(try CandidateFile.read(path).map(\.diameter) == [6.5, 8])
            let head = "seriesuid,coordX,coordY,coordZ,probability"
            for (text, diameter) in [
                ("\(head)\n1,2,3,4,0.5\n", nil), ("\(head),diameter_mm\n1,2,3,4,0.5,7\n", 7.0),
                ("diameter_mm,\(head)\nx,1,2,3,4,0.5\n", nil), ("\(head),diameter_mm\n1,2,3,4,0.5,inf\n", nil),
                ("\(head),diameter_mm\n1,2,3,4,0.5,-1\n", nil),
            ] {
                try AtomicFile.write(text, to: path)
                let read = try CandidateFile.read(path)
                #expect(read.count == 1 && read[0].diameter == diameter && read[0].z == 4)
            }
        }
    }

    @Test func stripsAreGreenOrRed() {
        let review = CandidateReview(
            Self.volume, [Self.candidate(ZYX(20, 20, 20), 0.9), Self.candidate(ZYX(5, 45, 9), 0.8)])
        let colours = review.candidates.map { Set(review.strip($0).pixels) }
        #expect(colours[0].contains(Marks.hit) && !colours[0].contains(Marks.falsePositive))
        #expect(colours[1].contains(Marks.falsePositive) && !colours[1].contains(Marks.hit))
        #expect(review.strip(nodule: 1).pixels.contains(Marks.nodule))
    }

    @Test func candidatesAnywhereAreDrawn() throws {
        let far = [1e300, -1e300, 1e9].map {
            Candidate(seriesUID: "1.2", x: $0, y: -$0, z: $0, probability: 2, diameter: 1e5)
        }
        let page = try CandidateReview(Self.volume, far).page(top: 10, source: "c.csv")
        #expect(page.pixels.contains(Marks.nodule))
        var empty = Self.volume
        empty.nodules = []
        #expect(throws: InputError.self) { _ = try CandidateReview(empty, []).page(top: 10, source: "c.csv") }
    }
}
