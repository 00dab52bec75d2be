import Basics
import CT
import Detection
import FileIO
import Testing

@testable import PatchData

/// Patches in memory, cut as the converter cuts them.
struct MemorySource: PatchSource {
    var patches: [PatchEntry]
    var patchSide: Int
    private var cubes: [[UInt8]]

    init(_ volumes: [(fold: Int, volume: CleanVolume)], cropSize: Int, jitter: Int = 4) {
        let side = PatchCutter.side(cropSize: cropSize, jitter: jitter)
        let cutter = PatchCutter(cropSize: cropSize, side: side, backgroundPatches: 3, seed: 5)
        patchSide = side
        patches = []
        cubes = []
        for (fold, volume) in volumes {
            for entry in cutter.entries(
                seriesUID: volume.seriesUID, fold: fold, extent: volume.extent, nodules: volume.nodules)
            {
                patches.append(entry)
                cubes.append(cutter.cut(volume, corner: entry.corner))
            }
        }
    }

    /// Patches without voxels.
    init(patches: [PatchEntry], side: Int) {
        self.patches = patches
        patchSide = side
        cubes = []
    }

    func voxels(_ index: Int) throws -> [UInt8] { cubes[index] }

    static func made(cropSize: Int = 32) -> MemorySource {
        let volumes = MadeScans.volumes.sorted { $0.key < $1.key }
        return MemorySource(volumes.map { ($0.key.hasPrefix("1") ? 0 : 3, $0.value) }, cropSize: cropSize)
    }
}

@Suite struct SamplerTests {
    private static func configuration(
        replicas: Int = 4, microBatch: Int = 1, validationFold: Int? = nil, cropSize: Int = 32
    ) -> SamplingConfiguration {
        SamplingConfiguration(
            preset: .luna16, cropSize: cropSize, seed: 11, validationFold: validationFold, replicas: replicas,
            microBatch: microBatch, augmentation: Augmentation())
    }

    /// LUNA16's 1,186 nodules: 50 over 20 mm, 281 over 10 mm, all over 2.5 mm.
    @Test func lunasListAndEpoch() throws {
        let diameters =
            [Double](repeating: 25, count: 50) + [Double](repeating: 15, count: 231)
            + [Double](repeating: 10, count: 905)
        let patches = diameters.map { diameter in
            PatchEntry(
                seriesUID: "1", fold: 0, kind: .nodule, corner: ZYX(0, 0, 0), volumeExtent: ZYX(300, 300, 300),
                nodules: [Nodule(center: ZYX(80, 80, 80), diameter: diameter)], target: 0)
        }
        let sampler = try Sampler(MemorySource(patches: patches, side: 176), Self.configuration(cropSize: 96))
        #expect(sampler.list.count == 1948)
        #expect(sampler.samplesPerEpoch == 2782)
        #expect(sampler.stepsPerEpoch == 695)
    }

    @Test func copiesGrowStrictlyAboveTheLimits() {
        let luna = [2.5, 2.51, 10, 10.01, 20, 20.01].map { Preset.luna16.copies(diameter: $0) }
        #expect(luna == [0, 1, 1, 3, 3, 7])
        let dsb = [6, 6.1, 30.1, 40.1].map { Preset.dsb2017.copies(diameter: $0) }
        #expect(dsb == [0, 1, 3, 7])
        let best = [2.5, 2.51, 8, 8.01, 30].map { Preset.luna.copies(diameter: $0) }
        #expect(best == [0, 2, 2, 1, 1])
    }

    /// A refusal says which of several causes it is.
    @Test func whatIsMissingIsNamed() throws {
        func entry(_ kind: PatchEntry.Kind, diameter: Double = 2) -> PatchEntry {
            PatchEntry(
                seriesUID: "1", fold: 0, kind: kind, corner: ZYX(0, 0, 0), volumeExtent: ZYX(90, 90, 90),
                nodules: kind == .nodule ? [Nodule(center: ZYX(8, 8, 8), diameter: diameter)] : [],
                target: kind == .nodule ? 0 : nil)
        }
        let cases: [(patches: [PatchEntry], fold: Int?, problem: String)] = [
            ([entry(.background)], nil, "in any fold (validation_fold: null): its scans have none"),
            ([], nil, "in any fold (validation_fold: null): its scans have none"),
            ([entry(.background)], 3, "outside validation fold 3: its scans have none"),
            ([entry(.nodule, diameter: 9)], 0, "outside validation fold 0: there is no patch"),
            ([entry(.nodule), entry(.nodule)], nil, "null): of 2, none is larger than 2.5 mm"),
        ]
        for (patches, fold, problem) in cases {
            let source = MemorySource(patches: patches, side: 51)
            let error = #expect(throws: InputError.self) {
                try Sampler(source, Self.configuration(validationFold: fold), name: "set")
            }
            #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "")")
            #expect(error?.problem.contains("-1") == false)
        }
    }

    @Test func everyListedNoduleIsInTheEpochAsOftenAsListed() throws {
        let source = MemorySource.made()
        let sampler = try Sampler(source, Self.configuration())
        for epoch in [1, 2] {
            let samples = sampler.samples(epoch: epoch)
            let targets = samples.compactMap { sample -> Int? in
                if case .target(let patch) = sample { return patch }
                return nil
            }
            #expect(targets.sorted() == sampler.list.sorted())
            #expect(samples.count == sampler.samplesPerEpoch)
        }
        #expect(sampler.samples(epoch: 1) == sampler.samples(epoch: 1))
        #expect(sampler.samples(epoch: 1) != sampler.samples(epoch: 2))
    }

    @Test func theValidationFoldIsNeverTrainedOn() throws {
        let source = MemorySource.made()
        let sampler = try Sampler(source, Self.configuration(validationFold: 3))
        for sample in (1...20).flatMap({ sampler.samples(epoch: $0) }) {
            switch sample {
            case .target(let patch), .random(let patch, _): #expect(source.patches[patch].fold == 0)
            }
        }
        let validation = ValidationSet(source: source, configuration: Self.configuration(validationFold: 3))
        #expect(validation.count == 2)
        #expect(try (0..<2).map { try validation.sample($0).seriesUIDs } == [["2.1"], ["2.2"]])
        #expect(try validation.sample(1).input == validation.sample(1).input)
    }

    @Test func nothingToTrainOnIsSaid() {
        let empty = MemorySource([(0, MadeScans.volume("1.1"))], cropSize: 32)
        #expect(throws: InputError.self) { try Sampler(empty, Self.configuration()) }
    }

    /// Micro-batches of two epochs by (step, replica), from ranks that hold `width` replicas each.
    private func batches(width: Int, threads: Int) throws -> [[MicroBatch]] {
        let source = MemorySource.made()
        let configuration = Self.configuration(replicas: 4)
        var steps: [[MicroBatch]] = []
        for first in stride(from: 0, to: 4, by: width) {
            let loader = try TrainingLoader(
                source: source, configuration: configuration, replicas: first..<first + width, threads: threads)
            loader.start(epoch: 1, step: 0)
            for step in 0..<2 * loader.stepsPerEpoch {
                if steps.count <= step { steps.append([]) }
                for _ in 0..<width { steps[step].append(try loader.next()) }
            }
        }
        return steps
    }

    @Test func everyRankSplitAndThreadCountGivesTheSameBatches() throws {
        func equal(_ a: [[MicroBatch]], _ b: [[MicroBatch]]) -> Bool {
            a.count == b.count
                && zip(a.joined(), b.joined()).allSatisfy {
                    $0.input == $1.input && $0.coord == $1.coord && $0.labels == $1.labels
                        && $0.seriesUIDs == $1.seriesUIDs
                }
        }
        let whole = try batches(width: 4, threads: 1)
        #expect(whole.allSatisfy { $0.count == 4 })
        for (width, threads) in [(4, 3), (2, 2), (1, 1)] {
            let split = try batches(width: width, threads: threads)
            let isEqual = equal(split, whole)
            #expect(isEqual, "\(width) replicas per rank, \(threads) threads")
        }
        // Begun in the middle of an epoch, and moved back.
        let loader = try TrainingLoader(
            source: MemorySource.made(), configuration: Self.configuration(), replicas: 0..<4, threads: 2)
        loader.start(epoch: 2, step: 1)
        _ = try loader.next()
        loader.start(epoch: 1, step: 1)
        let first = try loader.next()
        #expect(first.input == whole[1][0].input && first.labels == whole[1][0].labels)
    }

    @Test func anUnreadablePatchIsThrownByNext() throws {
        struct Broken: PatchSource {
            let inner = MemorySource.made()
            var patches: [PatchEntry] { inner.patches }
            var patchSide: Int { inner.patchSide }
            func voxels(_ index: Int) throws -> [UInt8] {
                throw InputError("shard.h5", at: "/patches [\(index)]", "flipped")
            }
        }
        let loader = try TrainingLoader(
            source: Broken(), configuration: Self.configuration(), replicas: 0..<4, threads: 2)
        loader.start(epoch: 1, step: 0)
        #expect(throws: InputError.self) { try loader.next() }
    }
}
