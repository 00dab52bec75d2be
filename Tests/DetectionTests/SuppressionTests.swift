import Basics
import FileIO
import Foundation
import Testing

@testable import Detection

@Suite struct SuppressionTests {
    /// The definition, each box against all that were kept.
    private func naive(_ boxes: [ScoredBox], overlap: Double) -> [ScoredBox] {
        var kept: [ScoredBox] = []
        let order = boxes.enumerated().sorted { ($1.element.logit, $0.offset) < ($0.element.logit, $1.offset) }
        for (_, box) in order where kept.allSatisfy({ $0.box.overlap(box.box) < overlap }) { kept.append(box) }
        return kept
    }

    /// Equal logits, boxes across the origin, sizes over seven octaves.
    @Test(arguments: [0.01, 0.1, 0.5, 1], [UInt64(1), 2]) func agreesWithDefinition(_ overlap: Double, _ seed: UInt64) {
        var generator = CounterGenerator(seed: seed, purpose: "suppression test")
        var boxes = (0..<600).map { _ in
            ScoredBox(
                logit: Double(generator.integer(in: -20..<20)) / 4,
                box: Box(
                    center: ZYX(generator.uniform(-40, 40), generator.uniform(-9, 9), generator.uniform(-40, 40)),
                    diameter: exp2(generator.uniform(-2, 5))))
        }
        boxes += boxes.prefix(20)
        let kept = Decoding.suppress(boxes, overlap: overlap)
        #expect(kept == naive(boxes, overlap: overlap))
        #expect(kept.count > 10 && kept.count < boxes.count)
    }

    /// A network that has learnt nothing: every cell is a finding, all equally strong.
    @Test func manyBoxes() {
        var boxes: [ScoredBox] = []
        for z in 0..<12 {
            for y in 0..<12 {
                for x in 0..<12 {
                    for diameter in [5.0, 10, 20] {
                        let center = ZYX(z, y, x).map(Grid.center)
                        boxes.append(ScoredBox(logit: 0, box: Box(center: center, diameter: diameter)))
                    }
                }
            }
        }
        #expect(Decoding.suppress(boxes) == naive(boxes, overlap: 0.1))
    }

    /// Two cells that are equally sure meet in the middle; a weak one and one far away have no vote.
    @Test func voting() {
        func box(_ logit: Double, _ x: Double, _ diameter: Double) -> ScoredBox {
            ScoredBox(logit: logit, box: Box(center: ZYX(10, 10, x), diameter: diameter))
        }
        let boxes = [box(3, 10, 8), box(3, 14, 2 * 8), box(-2, 8, 8), box(3, 60, 8)]
        let findings = Decoding.suppress(boxes)
        #expect(findings == [boxes[0], boxes[3]])
        let moved = Decoding.vote(findings, among: boxes)
        #expect(moved[1].box.center == boxes[3].box.center)
        #expect(abs(moved[0].box.center.x - 12) < 1e-12 && moved[0].box.center.z == 10 && moved[0].logit == 3)
        #expect(abs(moved[0].box.diameter - 8 * 2.0.squareRoot()) < 1e-9, "the mean of logarithms")
        #expect(Decoding.vote([], among: boxes).isEmpty)
    }

    /// A published detector's decoded boxes of five scans, and how many of them the recipe's suppression keeps: set
    /// LUNA16_LISTS to the directory that holds them as `pbb/<seriesuid>_pbb.npy` (logit, z, y, x, d) and `_lbb.npy`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["LUNA16_LISTS"] != nil)) func knownAnswers() throws {
        let directory = try #require(ProcessInfo.processInfo.environment["LUNA16_LISTS"]) + "/pbb"
        let names = try FileContent.names(inDirectory: directory).filter { $0.hasSuffix("_pbb.npy") }
        try #require(names.count == 5)
        var counts: [Int] = []
        var matches: [Double: [[Int]]] = [:]
        for name in names {
            let boxes = try rows("\(directory)/\(name)", width: 5).map {
                ScoredBox(logit: $0[0], box: Box(center: ZYX($0[1], $0[2], $0[3]), diameter: $0[4]))
            }
            let nodules = try rows("\(directory)/\(name.replacing("_pbb", with: "_lbb"))", width: 4).map {
                Box(center: ZYX($0[0], $0[1], $0[2]), diameter: $0[3])
            }
            counts.append(Decoding.suppress(boxes).count)
            for threshold in [-1.0, 0] {
                let kept = Decoding.suppress(boxes.filter { $0.logit >= threshold }).map(\.box)
                // A nodule has one true finding: further ones on it count as false.
                let found = nodules.count { nodule in kept.contains { $0.overlap(nodule) > 0.1 } }
                matches[threshold, default: []].append([kept.count, found, kept.count - found, nodules.count - found])
            }
        }
        #expect(counts == [174, 108, 97, 122, 145])
        #expect(matches[-1] == [[8, 1, 7, 0], [9, 0, 9, 0], [5, 1, 4, 0], [8, 3, 5, 0], [7, 3, 4, 0]])
        #expect(matches[0] == [[5, 1, 4, 0], [8, 0, 8, 0], [1, 0, 1, 1], [7, 3, 4, 0], [6, 3, 3, 0]])
    }

    /// The rows of a little-endian array in NumPy's format 1.0: magic, version, header length, header, values.
    private func rows(_ path: String, width: Int) throws -> [[Double]] {
        let bytes = try FileContent.bytes(path)
        let start = 10 + Int(bytes[8]) + 256 * Int(bytes[9])
        let header = String(decoding: bytes[10..<start], as: UTF8.self)
        let size = header.contains("'<f8'") ? 8 : 4
        try #require(header.contains("'<f\(size)'") && header.contains("'fortran_order': False"))
        let values = stride(from: start, to: bytes.count, by: size).map { place in
            bytes.withUnsafeBytes {
                size == 8
                    ? $0.loadUnaligned(fromByteOffset: place, as: Double.self)
                    : Double($0.loadUnaligned(fromByteOffset: place, as: Float.self))
            }
        }
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }
}
