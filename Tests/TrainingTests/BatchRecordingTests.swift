import Basics
import CT
import FileIO
import HDF5
import Networks
import PatchData
import TestSupport
import Testing

@testable import Training

/// Patches whose voxels are all of them different from their neighbours.
private struct MadePatches: PatchSource {
    let patchSide = 56
    let patches = (0..<6).map(patch)

    private static func patch(_ index: Int) -> PatchEntry {
        let isNodule = index < 4
        let nodule = Nodule(center: ZYX(48, 58, 68), diameter: Double(6 + 2 * index))
        return PatchEntry(
            seriesUID: "1.\(index)", fold: 1, kind: isNodule ? .nodule : .background, corner: ZYX(20, 30, 40),
            volumeExtent: ZYX(120, 130, 140), nodules: isNodule ? [nodule] : [], target: isNodule ? 0 : nil)
    }

    func voxels(_ index: Int) throws -> [UInt8] {
        (0..<patchSide * patchSide * patchSide).map { place in
            let value = place * 37 + place / patchSide * 11 + index * 61
            return UInt8(value % 256)
        }
    }
}

@Suite struct BatchRecordingTests {
    private static var configuration: TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.cropSize = 32
        configuration.replicas = 2
        configuration.microBatch = 1
        configuration.epochs = 3
        configuration.stepsPerEpoch = 2
        configuration.warmupSteps = 0
        configuration.seed = 7
        return configuration
    }

    private func withRecording(
        first: Int, count: Int?, _ configuration: TrainingConfiguration = configuration,
        _ body: (borrowing HDF5File) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/batches.h5"
            try BatchRecording.write(
                first: first, count: count, of: configuration, source: MadePatches(), name: "made", to: path)
            let file = try HDF5File(reading: path)
            try body(file)
        }
    }

    /// The loader's micro-batches, replica by replica, from steps within its epochs and across their ends.
    @Test(arguments: [0, 3]) func holdsWhatTheLoaderGives(first: Int) throws {
        let loader = try TrainingLoader(
            source: MadePatches(), configuration: Self.configuration.sampling, replicas: 0..<2, threads: 1)
        loader.start(epoch: 1, step: 0)
        for _ in 0..<first * 2 { _ = try loader.next() }
        try withRecording(first: first, count: nil) { file in
            let count = 6 - first
            let input = try file.read("/input", shape: [count, 2, 1, 1, 32, 32, 32], as: UInt8.self)
            let coord = try file.read("/coord", shape: [count, 2, 1, 3, 8, 8, 8], as: Float.self)
            let labels = try file.read("/labels", shape: [count, 2, 1, 8, 8, 8, 3, 5], as: Float.self)
            for index in 0..<count * 2 {
                let batch = try loader.next()
                func part<Element>(_ values: [Element]) -> ArraySlice<Element> {
                    let length = values.count / (count * 2)
                    return values[index * length..<(index + 1) * length]
                }
                #expect(part(input).map { (Float($0) - 128) / 128 } == batch.input.values)
                #expect(Array(part(coord)) == batch.coord.values)
                #expect(Array(part(labels)) == batch.labels.values)
            }
            #expect(Set(input).count > 200)
            #expect(labels.contains(1))
        }
    }

    /// A batch file serves as a weight file.
    @Test func holdsTheRunsStart() throws {
        try withRecording(first: 1, count: 2) { file in
            let state = try WeightsFile.readModel(.standard, from: file)
            let biases = try #require(Architecture.standard.parameters["output.2.bias"]).range
            let prior = Float(-4.59511985)  // ln(0.01 / 0.99)
            #expect(biases.map { state.parameters[$0] }.filter { abs($0 - prior) < 1e-6 }.count == 3)
            let rates = try file.read("/learning_rate", as: Double.self).values
            // Half a cosine over 6 steps: cos 30° and cos 60°.
            #expect(abs(rates[0] - 0.01 * 0.5 * (1 + 0.75.squareRoot())) < 1e-12)
            #expect(abs(rates[1] - 0.0075) < 1e-12)
            #expect(try file.attribute("first_step", as: Int64.self) == 2)
            #expect(try file.attribute("momentum", as: Double.self) == 0.9)
            #expect(try file.attribute("dropout", as: Double.self) == 0.2)
        }
    }

    @Test func refusesStepsThatTheRunDoesNotHave() throws {
        for (first, count) in [(0, 7), (6, nil), (5, 2), (100, 1)] {
            #expect(throws: UsageError.self) { try withRecording(first: first, count: count) { _ in } }
        }
    }
}
