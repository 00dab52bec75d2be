import Compute
import Testing

@testable import Detection

@Suite struct DecodingTests {
    /// Labels are the inverse of decoding: an output equal to a label gives the nodule back.
    @Test func decodesWhatTheAssignerEncodes() throws {
        let assigner = LabelAssigner(anchors: [5, 10, 20])
        let nodule = Box(center: ZYX(13.7, 20.1, 9.9), diameter: 8.5)
        var generator = CounterGenerator(seed: 0, purpose: "decoding test")
        var output = assigner.labels(
            grid: ZYX(repeating: 8), nodules: [nodule], target: nodule, mode: .training, generator: &generator)
        for cell in stride(from: 0, to: output.count, by: 5) { output[cell] = output[cell] == 1 ? 2 : -4 }
        let boxes = Decoding.boxes(output, grid: ZYX(repeating: 8), anchors: [5, 10, 20])
        let box = try #require(boxes.first)
        #expect(boxes.count == 1 && box.logit == 2)
        for axis in 0..<3 { #expect(abs(box.box.center[axis] - nodule.center[axis]) < 1e-5) }
        #expect(abs(box.box.diameter - 8.5) < 1e-5)
        #expect(abs(box.probability - 0.880797) < 1e-6)
    }

    @Test func thresholdIsStrict() {
        var output = [Float](repeating: -3, count: 5)
        #expect(Decoding.boxes(output, grid: ZYX(1, 1, 1), anchors: [10]).isEmpty)
        output[0] = -2.999
        #expect(Decoding.boxes(output, grid: ZYX(1, 1, 1), anchors: [10]).count == 1)
    }

    /// Against the definition: a box stays where no stronger box that stays overlaps it.
    @Test func suppressionAgreesWithDefinition() {
        var generator = CounterGenerator(seed: 3, purpose: "suppression test")
        let boxes = (0..<400).map { _ in
            ScoredBox(
                logit: Double(generator.integer(in: -20..<20)) / 4,
                box: Box(
                    center: ZYX(generator.uniform(0, 60), generator.uniform(0, 60), generator.uniform(0, 60)),
                    diameter: generator.uniform(3, 25)))
        }
        let kept = Decoding.suppress(boxes)
        #expect(kept.count > 10 && kept.count < 400)
        for (index, box) in kept.enumerated() {
            #expect(kept[..<index].allSatisfy { $0.logit >= box.logit && $0.box.overlap(box.box) < 0.1 })
        }
        for box in boxes where !kept.contains(box) {
            #expect(kept.contains { $0.logit >= box.logit && $0.box.overlap(box.box) >= 0.1 })
        }
    }

    @Test func overlapOfCubes() {
        let a = Box(center: ZYX(0, 0, 0), diameter: 2)
        #expect(a.overlap(Box(center: ZYX(1, 0, 0), diameter: 2)) == 4.0 / 12.0)
        #expect(a.overlap(Box(center: ZYX(2, 0, 0), diameter: 2)) == 0)
        #expect(a.overlap(Box(center: ZYX(0, 0, 0), diameter: 1)) == 1.0 / 8.0)
    }
}
