import Basics
import FileIO
import TestSupport
import Testing

@testable import Runs

@Suite struct MetricsLogTests {
    @Test func logIsCutAtTheCheckpoint() throws {
        struct Line: Encodable {
            var kind = "step"
            let step: Int
        }
        try withTemporaryDirectory { directory in
            let path = "\(directory)/metrics.jsonl"
            let log = try MetricsLog(path, keepingUpTo: 0, owesValidation: false)
            for step in 1...3 { try log.append(Line(step: step)) }
            try log.append(Line(kind: "validation", step: 3))  // will be made again
            for step in 4...5 { try log.append(Line(step: step)) }
            // Torn by a kill.
            try AtomicFile.write(FileContent.bytes(path) + Array("{\"kind\":\"step\",\"step\":6".utf8), to: path)
            let resumed = try MetricsLog(path, keepingUpTo: 3, owesValidation: true)
            try resumed.append(Line(step: 4))
            let text = String(decoding: try FileContent.bytes(path), as: UTF8.self)
            #expect(text == (1...4).map { "{\"kind\":\"step\",\"step\":\($0)}\n" }.joined())
        }
    }

    /// Every kind of record, and the line that earlier versions wrote of it: names are a contract with scripts.
    private static let lines: [(record: LogRecord, line: String)] = [
        (
            .start(
                StartRecord(
                    step: 3, hosts: ["a", "b"], threads: 2, replicas: 8, microBatch: 1, reducedBytes: 100,
                    localSteps: 5,
                    sites: 2, arithmetic: "avx2, Haswell")),
            #"{"arithmetic":"avx2, Haswell","hosts":["a","b"],"kind":"start","local_steps":5,"micro_batch":1,"#
                + #""reduced_bytes":100,"replicas":8,"sites":2,"step":3,"threads":2}"#
        ),
        (
            .step(
                StepRecord(
                    epoch: 1, step: 4, learningRate: 0.01, loss: 1.5, classification: 0.5,
                    regression: [0, 0.25, 0.5, 0.25],
                    positives: 2, positivesCorrect: 1, negatives: 8, negativesCorrect: 7, gradientNorm: .infinity,
                    skipped: true, skippedSeries: ["1.2/3"], seconds: 2, dataSeconds: 0.5, reduceSeconds: 0.25,
                    workSeconds: 1.5, patchesPerSecond: 4)),
            #"{"classification":0.5,"data_seconds":0.5,"epoch":1,"gradient_norm":"inf","kind":"step","#
                + #""learning_rate":0.01,"loss":1.5,"negatives":8,"negatives_correct":7,"patches_per_second":4,"#
                + #""positives":2,"positives_correct":1,"reduce_seconds":0.25,"regression":[0,0.25,0.5,0.25],"#
                + #""seconds":2,"skipped":true,"skipped_series":["1.2\/3"],"step":4,"work_seconds":1.5}"#
        ),
        (
            .epoch(
                EpochRecord(
                    phase: .validation, epoch: 1, step: 4, loss: 1, classification: 0.5, regression: [0.5],
                    trueNegativeRate: 0.5, positives: 0, negatives: 9)),
            #"{"classification":0.5,"epoch":1,"kind":"validation","loss":1,"negatives":9,"positives":0,"#
                + #""regression":[0.5],"step":4,"true_negative_rate":0.5}"#
        ),
        (
            .ranks(
                RanksRecord(
                    epoch: 1, step: 20, steps: 20, minimumSeconds: 1, meanSeconds: 2, medianSeconds: 2.5,
                    maximumSeconds: 3, slowestRank: 1, slowestHost: "b", slowestDataSeconds: 0.5, meanDataSeconds: 0.25)
            ),
            #"{"epoch":1,"kind":"ranks","maximum_seconds":3,"mean_data_seconds":0.25,"mean_seconds":2,"#
                + #""median_seconds":2.5,"minimum_seconds":1,"slowest_data_seconds":0.5,"slowest_host":"b","#
                + #""slowest_rank":1,"step":20,"steps":20}"#
        ),
        (
            .round(
                RoundRecord(epoch: 1, step: 5, meanNorm: 0.5, siteNorm: 1, seconds: 0.25, exchangedBytes: 64)),
            #"{"epoch":1,"exchanged_bytes":64,"kind":"round","mean_norm":0.5,"seconds":0.25,"site_norm":1,"step":5}"#
        ),
        (.notice(NoticeRecord(step: 5, text: "left out")), #"{"kind":"notice","step":5,"text":"left out"}"#),
        (
            .froc(
                FROCRecord(
                    epoch: 1, step: 4, cpm: 0.5, sensitivity: [0, 1], scans: 2, nodules: 3, detected: 1,
                    falsePositives: 7, isBest: true, seconds: 9)),
            #"{"best":true,"cpm":0.5,"detected":1,"epoch":1,"false_positives":7,"kind":"froc","nodules":3,"scans":2,"#
                + #""seconds":9,"sensitivity":[0,1],"step":4}"#
        ),
    ]

    @Test func everyRecordIsWrittenAndRead() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/metrics.jsonl"
            let log = try MetricsLog(path, keepingUpTo: 0, owesValidation: false)
            for (record, _) in Self.lines {
                switch record {
                case .start(let record): try log.append(record)
                case .step(let record): try log.append(record)
                case .epoch(let record): try log.append(record)
                case .ranks(let record): try log.append(record)
                case .round(let record): try log.append(record)
                case .notice(let record): try log.append(record)
                case .froc(let record): try log.append(record)
                case .other: break
                }
            }
            let text = String(decoding: try FileContent.bytes(path), as: UTF8.self)
            #expect(text.split(separator: "\n").map(String.init) == Self.lines.map(\.line))
            var read: [LogRecord?] = []
            try MetricsLog.read(path) { read.append($0) }
            #expect(read == Self.lines.map(\.record))
            // The cut line is none.
            read = []
            try MetricsLog.read(path, tail: (Self.lines.last?.line.utf8.count ?? 0) + 9) { read.append($0) }
            #expect(read == [nil, Self.lines.last?.record])
        }
    }

    /// What a line lacks or has as null is no number; what it has beside is passed over.
    @Test func linesOfOtherVersions() throws {
        func record(_ line: String) throws -> LogRecord { try JSON.decode(LogRecord.self, from: line.utf8) }
        guard case .step(let step) = try record(#"{"kind":"step","step":3,"loss":null,"new":[1]}"#),
            case .start(let start) = try record(#"{"kind":"start","step":3}"#)
        else { #expect(Bool(false), "another kind"); return }
        #expect(step.step == 3 && step.loss.isNaN && step.epoch == 0 && step.regression.isEmpty && !step.skipped)
        #expect(start.hosts.isEmpty && start.threads == 0 && start.localSteps == nil && start.arithmetic.isEmpty)
        #expect(try record(#"{"kind":"resumed","step":1}"#) == .other(LogPlace(kind: "resumed", step: 1)))
        for wrong in [#"{"kind":"step"}"#, #"{"step":1}"#, #"{"kind":"step","step":1,"loss":"x"}"#, "[]", "1"] {
            #expect(throws: DecodingError.self) { try record(wrong) }
        }
    }
}
