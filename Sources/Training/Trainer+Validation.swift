// The validation after an epoch: the loss on held-out crops, pictures of them, and the FROC on held-out scans.

import Basics
import Detection
import Evaluation
import Inference
import Learning
import MPI
import Networks
import PatchData
import Pictures
import Runs
import Views

extension Trainer {
    /// The number of crops whose pictures are kept.
    private static let pictureCount = 4

    /// Validates the state after an epoch, and logs the results.
    ///
    /// - Returns: False where a stop was asked for meanwhile: a checkpoint that still owes the validation is written.
    func validate(epoch: Int) throws -> Bool {
        guard try validateCrops(epoch: epoch), try evaluateScans(epoch: epoch) else {
            try save()
            return false
        }
        owesValidation = false
        return true
    }

    /// The loss on the held-out crops, shared over the ranks; their terms are added in the crops' order.
    ///
    /// - Returns: False where a stop was asked for.
    private func validateCrops(epoch: Int) throws -> Bool {
        guard validation.count > 0 else { return true }
        let span = begin(.validation)
        defer { span.end() }
        var bits: [Int] = []
        for first in stride(from: 0, to: validation.count, by: communicator.size) {
            var stop = [StopRequest.isMade ? 1 : 0]
            try communicator.sum(&stop)
            if stop[0] > 0 { return false }
            let index = first + communicator.rank
            guard index < validation.count else { continue }
            let batch = try validation.sample(index)
            let output = network.forward(resultingState, input: batch.input, coord: batch.coord, mode: .evaluation)
            let terms = learner.recipe.loss(
                output: output, labels: batch.labels, mode: .validation, normalizers: nil
            ).terms
            whereabouts.progress()
            bits += terms.vector.map { Int(bitPattern: UInt($0.bitPattern)) }
        }
        let gathered = try communicator.gather(numbers: bits).map { part in
            part.map { Double(bitPattern: UInt64(UInt(bitPattern: $0))) }
        }
        var total = LossTerms()
        for index in 0..<validation.count {
            let part = gathered[index % communicator.size]
            let start = index / communicator.size * LossTerms.vectorCount
            total = total + LossTerms(vector: Array(part[start..<start + LossTerms.vectorCount]))
        }
        let means = learner.recipe.means(total)
        report(.epoch(try logEpoch(.validation, epoch, means, parts: 1)))
        if !total.total.isFinite {
            try warn("the validation loss after epoch \(epoch) is not finite: the weights have diverged")
        }
        if let log { try log.append(predictions(), step: step) }
        return true
    }

    /// Warns of something that all ranks know, in the log too.
    private func warn(_ text: String) throws {
        report(.warning(text))
        try log?.append(NoticeRecord(step: step, text: text))
    }

    /// The findings of the network in the first held-out crops, at p ≥ 0.1, as pictures.
    private func predictions() throws -> [Picture] {
        try (0..<min(Self.pictureCount, validation.count)).map { index in
            let (batch, crop) = try validation.sampleWithCrop(index)
            let output = network.forward(resultingState, input: batch.input, coord: batch.coord, mode: .evaluation)
            let boxes = learner.recipe.boxes(
                output.values, grid: ZYX(repeating: crop.side / Grid.stride), threshold: logit(0.1))
            return View.predictions(Decoding.suppress(boxes), in: crop)
        }
    }

    /// The FROC on the held-out scans, where this epoch is to have one; the best state's checkpoint is marked.
    ///
    /// - Returns: False where a stop was asked for.
    private func evaluateScans(epoch: Int) throws -> Bool {
        guard let evaluation, configuration.evaluates(epoch: epoch) else { return true }
        let start = ContinuousClock.now
        let span = begin(.evaluation)
        defer { span.end() }
        let outcome = try evaluation.outcome(detector(), communicator) {
            whereabouts.progress()
            report(.searching($0))
        }
        let result: EvaluationResult
        switch outcome {
        case .result(let found): result = found
        case .stopped: return false
        case .diverged(let reason):
            try warn("no FROC after epoch \(epoch): \(reason)")
            return true
        }
        let counts = result.matching.counts
        let isBest = best.map { result.froc.cpm > $0.cpm } ?? true
        if isBest { best = BestResult(cpm: result.froc.cpm, step: step) }
        guard let log else { return true }
        let record = FROCRecord(
            epoch: epoch, step: step, cpm: result.froc.cpm, sensitivity: result.froc.sensitivities,
            scans: counts.scans, nodules: counts.nodules, detected: counts.detected,
            falsePositives: counts.falsePositives, isBest: isBest,
            seconds: (ContinuousClock.now - start) / .seconds(1))
        try log.append(record)
        if isBest {
            try settleCheckpoints(waiting: true)  // what `best` names is there
            try run.markBest(step: step)
        }
        report(.froc(record))
        return true
    }

    /// The detector that searches the held-out scans with the state as it is now.
    func detector() -> ScanDetector { Self.detector(configuration, network, resultingState) }

    static func detector(
        _ configuration: TrainingConfiguration, _ network: Network, _ state: NetworkState
    ) -> ScanDetector {
        var detector = ScanDetector(recipe: configuration.makeRecipe(), network.architecture) {
            network.forward(state, input: $0, coord: $1, mode: .evaluation)
        }
        detector.tiling = .planned(bytes: configuration.evaluateMemoryMiB << 20)
        return detector
    }
}
