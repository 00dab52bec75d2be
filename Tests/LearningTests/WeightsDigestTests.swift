import Basics
import Compute
import Detection
import FileIO
import Testing

@testable import Learning
@testable import Networks

/// The weights after a few steps, to the bit: a change that moves a bit is seen here, and says so in its message.
///
/// The digests hold on every processor of an instruction set. AVX2 and AVX-512 fuse the same multiplications and
/// additions, so they have the same.
@Suite struct WeightsDigestTests {
    private static let digests: [InstructionSet: String] = [
        .baseline: "ca734c996bfb65a4", .avx2: "82d926e9ae6756de", .avx512: "82d926e9ae6756de",
    ]

    @Test(arguments: InstructionSet.allCases.filter { $0.rawValue <= InstructionSet.best.rawValue }, [1, 3])
    func afterFourSteps(_ set: InstructionSet, _ threads: Int) {
        let engine = Engine(pool: ThreadPool(threads: threads), instructionSet: set)
        defer { engine.pool.stop() }
        let architecture = Architecture.noduleNet
        let learner = Learner(
            network: Network(architecture, engine: engine),
            recipe: RecipeName.published.recipe(anchors: [5, 10, 20]),
            optimizer: OptimizerName.sgd.optimizer(OptimizerConstants()), dropout: 0.2)
        var state = architecture.initialState(seed: 7)
        var optimizerState = learner.optimizer.makeState(architecture)
        let batch = Self.batch(learner.recipe)
        let counts = learner.recipe.counts(labels: batch.labels, mode: .training)
        var vector = [Float](repeating: 0, count: learner.layout.count)
        for step in 0..<4 {
            vector.withUnsafeMutableBufferPointer {
                learner.writeReplica(
                    batch, state: state, normalizers: counts,
                    generator: CounterGenerator(seed: 7, purpose: "dropout", UInt64(step)), into: $0)
                learner.update(&state, &optimizerState, sum: $0, replicas: 1, learningRate: 0.05)
            }
        }
        var digest = Digest()
        digest.add(state.parameters)
        digest.add(state.statistics)
        #expect(digest.text == Self.digests[set], "the bits of \(set) have changed")
    }

    /// Two crops of 32 voxels with a nodule each.
    private static func batch(_ recipe: any Recipe) -> TrainingBatch {
        var generator = CounterGenerator(seed: 7, purpose: "digest")
        func noise(_ shape: [Int]) -> Tensor {
            Tensor(
                shape: shape,
                values: (0..<shape.reduce(1, *)).map { _ in Float(generator.integer(in: 0..<256)) / 128 - 1 })
        }
        let input = noise([2, 1, 32, 32, 32])
        let coord = noise([2, 3, 8, 8, 8])
        let nodule = Box(center: ZYX(15, 17, 14), diameter: 9)
        let labels = (0..<2).flatMap { _ in
            recipe.labels(
                grid: ZYX(repeating: 8), nodules: [nodule], target: nodule, mode: .training, generator: &generator)
        }
        return TrainingBatch(
            input: input, coord: coord, labels: Tensor(shape: [2, 8, 8, 8, 3, 5], values: labels))
    }
}
