import Basics
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

    /// A network gone wild: what is not finite is no finding, sizes stay sane.
    @Test func wildOutputs() {
        var output = [Float](repeating: 0, count: 5 * 5)
        let wild: [[Float]] = [
            [.nan, 0, 0, 0, 0], [1, .infinity, 0, 0, 0], [1, 0, .nan, 0, 0], [1, 0, 0, 0, .nan], [1, 0, 0, 0, 1e30],
        ]
        for (cell, values) in wild.enumerated() { output.replaceSubrange(5 * cell..<5 * cell + 5, with: values) }
        let boxes = Decoding.boxes(output, grid: ZYX(1, 1, 5), anchors: [10])
        #expect(boxes.count == 1)
        #expect(boxes.allSatisfy { $0.box.diameter < 5000 })
        #expect(Decoding.suppress(boxes) == boxes)
    }

    @Test func overlapOfCubes() {
        let a = Box(center: ZYX(0, 0, 0), diameter: 2)
        #expect(a.overlap(Box(center: ZYX(1, 0, 0), diameter: 2)) == 4.0 / 12.0)
        #expect(a.overlap(Box(center: ZYX(2, 0, 0), diameter: 2)) == 0)
        #expect(a.overlap(Box(center: ZYX(0, 0, 0), diameter: 1)) == 1.0 / 8.0)
    }
}
