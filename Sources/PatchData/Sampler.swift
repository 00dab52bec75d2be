// The epoch's list: every nodule as often as its size deserves, and a surplus of random crops; in an order that the
// seed and the epoch determine, whatever ranks there are.

import Basics
import CT
import Detection
import FileIO

/// The choice that a sample of an epoch makes: the patch, and how a crop is cut from it.
enum Sample: Hashable, Sendable {
    /// A crop around the nodule of this patch.
    case target(patch: Int)
    /// A crop anywhere in this background patch; scaled as if for a nodule of this diameter, where there is one.
    case random(patch: Int, scaledFor: Double?)
}

/// The choice of the samples of each epoch.
public struct Sampler: Sendable {
    let configuration: SamplingConfiguration
    /// The patches around nodules, each as often as the oversampling says.
    let list: [Int]
    private let patches: [PatchEntry]
    private let background: [Int]
    private let backgroundByScan: [String: [Int]]
    private let scans: [String]

    /// The fraction of random crops in an epoch.
    static let randomFraction = 0.3

    /// Lists the nodules to train on.
    ///
    /// - Parameters:
    ///   - source: The patches.
    ///   - configuration: The experiment's samples.
    ///   - name: The data set's name in messages.
    /// - Throws: `InputError` where the training folds hold no nodule.
    public init(_ source: some PatchSource, _ configuration: SamplingConfiguration, name: String = "data set") throws {
        self.configuration = configuration
        patches = source.patches
        let training = patches.indices.filter { source.patches[$0].fold != configuration.validationFold }
        list = training.flatMap { index -> [Int] in
            let patch = source.patches[index]
            guard patch.kind == .nodule, let target = patch.target else { return [] }
            let copies = configuration.preset.copies(diameter: patch.nodules[target].diameter)
            return Array(repeating: index, count: copies)
        }
        let background = training.filter { source.patches[$0].kind == .background }
        self.background = background
        backgroundByScan = Dictionary(grouping: background) { source.patches[$0].seriesUID }
        scans = backgroundByScan.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard !list.isEmpty else {
            let small = training.count { source.patches[$0].kind == .nodule }
            throw Self.nothingToTrainOn(name, configuration, small: small, patches: training.count)
        }
    }

    /// The reason why there is no nodule to train on.
    ///
    /// - Parameters:
    ///   - small: The nodules of the training folds, none of which is large enough.
    ///   - patches: The patches of the training folds.
    private static func nothingToTrainOn(
        _ name: String, _ configuration: SamplingConfiguration, small: Int, patches: Int
    ) -> InputError {
        let place =
            configuration.validationFold.map { "outside validation fold \($0)" }
            ?? "in any fold (validation_fold: null)"
        if small > 0 {
            let limit = configuration.preset.smallestDiameter
            return InputError(
                name, "no nodule to train on \(place): of \(small), none is larger than \(limit) mm",
                remedy: "the preset \(configuration.preset.rawValue) trains on larger ones: convert more scans")
        }
        if configuration.validationFold == nil || patches > 0 {
            return InputError(
                name, "no nodule to train on \(place): its scans have none",
                remedy: "convert scans with nodules, and their list with --annotations")
        }
        return InputError(
            name, "no nodule to train on \(place): there is no patch",
            remedy: "convert more subsets, or choose another validation_fold")
    }

    /// The number of samples of an epoch, including the tail that does not fill a step.
    public var samplesPerEpoch: Int { Int(Double(list.count) / (1 - Self.randomFraction)) }

    /// The number of steps of an epoch; an incomplete last one is dropped.
    public var stepsPerEpoch: Int { samplesPerEpoch / (configuration.replicas * configuration.microBatch) }

    /// The epoch's samples in order: position p belongs to step p / (replicas · microBatch), there to replica
    /// p / microBatch mod replicas.
    func samples(epoch: Int) -> [Sample] {
        var order = Array(0..<samplesPerEpoch)
        var generator = CounterGenerator(seed: configuration.seed, purpose: "epoch order", UInt64(epoch))
        generator.shuffle(&order)
        return order.map { place in
            if place < list.count { return .target(patch: list[place]) }
            return random(near: list[place % list.count], &generator)
        }
    }

    /// A random crop: on the toss of a fair coin from the scan of the listed nodule, or from any scan.
    private func random(near patch: Int, _ generator: inout CounterGenerator) -> Sample {
        guard !background.isEmpty else { return .random(patch: patch, scaledFor: nil) }
        let listed = patches[patch]
        if generator.coin(), let own = backgroundByScan[listed.seriesUID] {
            let diameter = listed.target.map { listed.nodules[$0].diameter }
            return .random(patch: own[generator.integer(in: 0..<own.count)], scaledFor: diameter)
        }
        let scan = scans[generator.integer(in: 0..<scans.count)]
        let choices = backgroundByScan[scan] ?? background
        return .random(patch: choices[generator.integer(in: 0..<choices.count)], scaledFor: nil)
    }
}
