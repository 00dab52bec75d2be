import Basics
import Compute
import Detection
import Exchange
import Learning
import Networks
import Synchronization
import Testing

@testable import Training

/// Replicas that share batch statistics learn what one replica of all their crops does: the definition of it.
@Suite struct SharedStatisticsTests {
    /// What replicas contribute to a step.
    private struct Contribution {
        /// All output, in the order of the replicas.
        var output: [Float]
        var vectors: [[Float]]

        /// The sum of a part of the vectors.
        func sum(_ part: Range<Int>) -> [Double] {
            part.map { index in vectors.reduce(0) { $0 + Double($1[index]) } }
        }
    }

    /// A crop of 32 voxels along each axis with a nodule, whose grey levels are not those of other crops.
    private func crop(_ index: Int, _ recipe: any Recipe, _ architecture: Architecture) -> TrainingBatch {
        var generator = CounterGenerator(seed: 5, purpose: "shared statistics", UInt64(index))
        let offset = 0.4 * Double(index)
        func noise(_ shape: [Int], _ scale: Double, _ offset: Double) -> Tensor {
            Tensor(
                shape: shape,
                values: (0..<shape.reduce(1, *)).map { _ in Float(offset + scale * generator.uniform(-1, 1)) })
        }
        let input = noise([1, 1, 32, 32, 32], 0.6 / Double(1 + index), offset)
        let coord = noise([1, 3, 8, 8, 8], 0.5, 0)
        let nodule = Box(center: ZYX(15, Double(12 + 6 * index), 14), diameter: 9)
        let labels = recipe.labels(
            grid: ZYX(repeating: 8), nodules: [nodule], target: nodule, mode: .training, generator: &generator)
        return TrainingBatch(
            input: input, coord: coord,
            labels: Tensor(shape: [1, 8, 8, 8, architecture.anchors, architecture.components], values: labels))
    }

    private func joined(_ crops: [TrainingBatch]) -> TrainingBatch {
        func join(_ part: KeyPath<TrainingBatch, Tensor>) -> Tensor {
            let tensors = crops.map { $0[keyPath: part] }
            return Tensor(shape: [crops.count] + tensors[0].shape.dropFirst(), values: tensors.flatMap(\.values))
        }
        return TrainingBatch(input: join(\.input), coord: join(\.coord), labels: join(\.labels))
    }

    /// The distance of two lists of numbers, as a part of the length of the second.
    private func distance(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
        var (difference, length) = (0.0, 0.0)
        for (a, b) in zip(a, b) {
            difference += (a - b) * (a - b)
            length += b * b
        }
        return (difference / length).squareRoot()
    }

    // MARK: - One layer

    private struct Normalized: Sendable {
        var mean, variance, inputGradient, scaleGradient, shiftGradient: [Float]
    }

    /// Normalises maps of 24 channels and computes the gradients of their sum with `gradient` as weights.
    private func normalize(_ x: [Float], gradient: [Float], samples: Int, on engine: Engine) -> Normalized {
        func map(_ values: [Float]) -> FeatureMap {
            let map = engine.map(samples: samples, extent: ZYX(4, 6, 8), channels: 24)
            for (index, value) in values.enumerated() { map.pointer[index] = value }
            return map
        }
        let (x, gradient, result) = (map(x), map(gradient), map([]))
        let statistics = engine.statistics(x)
        let scale = (0..<24).map { 0.5 + Float($0) / 24 }
        let shift = [Float](repeating: 0.25, count: 24)
        var (scaleGradient, shiftGradient) = (shift, shift)
        scale.withUnsafeBufferPointer { scale in
            shift.withUnsafeBufferPointer { shift in
                scaleGradient.withUnsafeMutableBufferPointer { scaleGradient in
                    shiftGradient.withUnsafeMutableBufferPointer { shiftGradient in
                        engine.normalizationGradient(
                            x, .none, gradient: gradient, NormalizationParameters(scale: scale, shift: shift),
                            statistics, scaleGradient: scaleGradient, shiftGradient: shiftGradient, into: result)
                    }
                }
            }
        }
        return Normalized(
            mean: statistics.mean, variance: statistics.variance,
            inputGradient: Array(UnsafeBufferPointer(start: result.pointer, count: result.voxels * 24)),
            scaleGradient: scaleGradient, shiftGradient: shiftGradient)
    }

    /// Without a ReLU, whose mask may turn with the last bit, the gradients are the same but for rounding.
    @Test func aLayerSharesBothPasses() throws {
        var generator = CounterGenerator(seed: 7, purpose: "shared statistics")
        func noise(_ offset: Double) -> [Float] {
            (0..<4 * 6 * 8 * 24).map { _ in Float(generator.uniform(-1, 1) + offset) }
        }
        // Far from zero, where sums about zero lose digits, and not the same in both.
        let (x, gradient) = ([noise(50), noise(52)], [noise(0), noise(0.5)])
        let engines = (0..<3).map { _ in Engine(pool: ThreadPool(threads: 1)) }
        let truth = normalize(x.flatMap(\.self), gradient: gradient.flatMap(\.self), samples: 2, on: engines[2])
        let lockstep = Lockstep(replicas: 2)
        for place in 0..<2 { engines[place].sumOverReplicas = { lockstep.sum($0, of: place) } }
        let parts = Mutex<[Int: Normalized]>([:])
        try lockstep.run(gather: nil) { place in
            let part = normalize(x[place], gradient: gradient[place], samples: 1, on: engines[place])
            parts.withLock { $0[place] = part }
        }
        let shared = parts.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
        func far(_ a: [Float], _ b: [Float]) -> Double { distance(a.map(Double.init), b.map(Double.init)) }
        for part in shared {
            #expect(far(part.mean, truth.mean) < 1e-6)
            #expect(far(part.variance, truth.variance) < 1e-5)
        }
        #expect(far(shared.flatMap(\.inputGradient), truth.inputGradient) < 1e-5)
        #expect(far(zip(shared[0].scaleGradient, shared[1].scaleGradient).map(+), truth.scaleGradient) < 1e-5)
        #expect(far(zip(shared[0].shiftGradient, shared[1].shiftGradient).map(+), truth.shiftGradient) < 1e-5)
    }

    // MARK: - Whole networks

    /// Rounding turns the masks of some ReLUs, so that a gradient is as far off as one of a crop that is moved by a
    /// unit of the last place.
    @Test(arguments: ["nodule-net", "cpm-net"]) func twoReplicasAreOneOfBothCrops(_ network: String) throws {
        var configuration = TrainingConfiguration()
        let architecture: Architecture = network == "cpm-net" ? .cpmNet : .noduleNet
        configuration.network = architecture
        configuration.recipe = network == "cpm-net" ? .anchorFree : .dense
        configuration.dropout = 0
        let engine = Engine(pool: ThreadPool(threads: 2))
        defer { engine.pool.stop() }
        let learner = configuration.makeLearner(Network(architecture, engine: engine))
        let crops = (0..<2).map { crop($0, learner.recipe, architecture) }
        let whole = joined(crops)
        let normalizers = learner.recipe.counts(labels: whole.labels, mode: .training)
        // No weight is 0, as some are at first, so that all gradients are there.
        var generator = CounterGenerator(seed: 6, purpose: "shared statistics")
        var state = architecture.initialState(seed: 6)
        for index in state.parameters.indices { state.parameters[index] += Float(generator.uniform(-0.02, 0.02)) }

        func write(_ batch: TrainingBatch, _ learner: Learner) -> (output: [Float], vector: [Float]) {
            var vector = [Float](repeating: .nan, count: learner.layout.count)
            let output = vector.withUnsafeMutableBufferPointer {
                learner.writeReplica(
                    batch, state: state, normalizers: normalizers,
                    generator: CounterGenerator(seed: 0, purpose: "dropout"), into: $0
                ).output
            }
            return (output.values, vector)
        }
        func contribution(_ parts: [(output: [Float], vector: [Float])]) -> Contribution {
            Contribution(output: parts.flatMap(\.output), vectors: parts.map(\.vector))
        }
        let truth = contribution([write(whole, learner)])
        let apart = contribution(crops.map { write($0, learner) })
        let team = ReplicaTeam(configuration, replicas: 2, first: learner)
        let parts = Mutex<[Int: (output: [Float], vector: [Float])]>([:])
        try team.lockstep.run(gather: nil) { place in
            let part = write(crops[place], team.learners[place])
            parts.withLock { $0[place] = part }
        }
        let shared = contribution(parts.withLock { $0.sorted { $0.key < $1.key }.map(\.value) })

        let layout = learner.layout
        #expect(distance(shared.output.map(Double.init), truth.output.map(Double.init)) < 1e-4)
        #expect(distance(shared.sum(layout.terms), truth.sum(layout.terms)) < 1e-4)
        let reported = shared.vectors.map { Array($0[layout.statistics]) }
        #expect(reported[0] == reported[1])
        #expect(distance(reported[0].map(Double.init), truth.sum(layout.statistics)) < 1e-5)
        let (gradient, expected) = (shared.sum(layout.gradients), truth.sum(layout.gradients))
        var moved = whole
        for index in moved.input.values.indices where index % 2 == 0 {
            moved.input.values[index] = moved.input.values[index].nextUp
        }
        let rounding = distance(contribution([write(moved, learner)]).sum(layout.gradients), expected)
        #expect(distance(gradient, expected) < max(1e-3, 5 * rounding))
        // Statistics of their own would give something else: the test can fail.
        #expect(distance(apart.sum(layout.gradients), expected) > 20 * distance(gradient, expected))
    }
}
