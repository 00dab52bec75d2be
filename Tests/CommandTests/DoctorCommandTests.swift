import FileIO
import Foundation
import TestSupport
import Testing

/// `luna doctor` alone and under mpirun, and what training says at its start.
@Suite(.runsPrograms) struct DoctorCommandTests {
    /// The keys of the JSON object that scripts read.
    private struct Report: Decodable {
        struct Finding: Decodable {
            let severity, subject, ranks, seen, remedy: String
        }
        struct Rank: Decodable {
            struct Measures: Decodable {
                struct Reading: Decodable { let bytes: Int }
                struct Clock: Decodable { let seconds, uncertainty: Double }
                let stepSeconds, productSpeed: Double?
                let stepBytes: Int?
                let reductionSeconds: Double?
                let reading: Reading?
                let clock: Clock?
            }
            struct Transport: Decodable { let library, messaging: String }
            let rank, threads: Int
            let host, processors: String
            let transport: Transport?
            let measures: Measures
        }
        struct Plan: Decodable {
            let memory, replicas, cropSize: Int
            let steps: Int?
            let memoryIsMeasured: Bool
        }
        struct Place: Decodable { let directory: String }
        let findings: [Finding]
        let ranks: [Rank]
        let plan: Plan
        let place: Place?
        let problems, warnings: Int
        let estimatedSeconds: Double?

        init(lastLineOf output: String) throws {
            let line = try #require(output.split(separator: "\n").last)
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Report.self, from: Data(line.utf8))
        }
    }

    /// More than there are processors, on whatever machine.
    private var tooManyThreads: Int { ProcessInfo.processInfo.activeProcessorCount + 1 }

    @Test func doctorAlone() throws {
        try withTinyRuns { runs in
            let run = "\(runs.directory)/runs/new"
            let doctor = try luna(
                "doctor", "--data", runs.data, "--run", run, "--config", runs.configuration, "--json", "--threads", "1")
            #expect(doctor.status == 0, "\(doctor.output)\(doctor.diagnosis)")
            let report = try Report(lastLineOf: doctor.output)
            #expect(report.problems == 0 && report.ranks.count == 1)
            #expect(report.plan.replicas == 4 && report.plan.cropSize == 32 && report.plan.memoryIsMeasured)
            #expect(report.place?.directory == runs.directory)
            let measures = report.ranks[0].measures
            #expect(measures.reading?.bytes ?? 0 > 0 && measures.stepSeconds ?? 0 > 0 && measures.productSpeed ?? 0 > 0)
            #expect(report.plan.memory > measures.stepBytes ?? .max)
            #expect(measures.clock == nil && report.ranks[0].transport == nil)
            #expect(report.plan.steps == 6)
            #expect(report.estimatedSeconds == 6 * 4 * (measures.stepSeconds ?? 0))
            #expect(doctor.output.contains("rank  host") && doctor.output.contains("\nno problems"))
            // A timeline takes memory, too.
            let timed = try luna(
                "doctor", "--config", runs.configuration, "--json", "--threads", "1", "--timeline",
                "\(runs.directory)/timeline.json")
            let more = try Report(lastLineOf: timed.output)
            let (before, after) = (measures.stepBytes ?? 0, more.ranks[0].measures.stepBytes ?? 0)
            #expect(more.plan.memory - after - (report.plan.memory - before) == 64 << 20)
            // Nothing is left behind.
            #expect(try FileContent.names(inDirectory: runs.directory) == ["config.yaml"])
        }
    }

    @Test(arguments: [2, 4]) func doctorOfRanks(_ ranks: Int) throws {
        try withTinyRuns { runs in
            let job = try mpirun(
                ranks: ranks, "doctor", "--data", runs.data, "--config", runs.configuration, "--threads",
                "\(tooManyThreads)", "--json")
            #expect(job.status == 0, "\(job.output)\(job.diagnosis)")
            let report = try Report(lastLineOf: job.output)
            #expect(report.ranks.map(\.rank) == Array(0..<ranks))
            for rank in report.ranks {
                #expect(
                    rank.transport?.library.hasPrefix("Open MPI") == true && rank.measures.reductionSeconds ?? 0 > 0)
                let clock = try #require(rank.measures.clock)
                // They have one clock.
                #expect(abs(clock.seconds) <= clock.uncertainty && clock.uncertainty < 1)
            }
            let crowded = try #require(report.findings.first { $0.subject == "processors" })
            #expect(crowded.severity == "warning" && crowded.ranks == "0-\(ranks - 1)")
            #expect(crowded.seen.contains("\(ranks * tooManyThreads) threads share") && !crowded.remedy.isEmpty)
            #expect(job.output.contains("\nwarning: \(crowded.seen)\n"))
            #expect(job.output.contains("\nno problems, \(report.warnings) warning"))
        }
    }

    @Test func doctorRefuses() throws {
        try withTinyRuns { runs in
            let none = try mpirun(
                ranks: 2, limit: 30, "doctor", "--data", "\(runs.directory)/none", "--config", runs.configuration)
            let lines = none.diagnosis.split(separator: "\n").filter { $0.hasPrefix("luna: ") }
            #expect(
                none.status == 65 && lines.count == 1 && lines[0].contains("\(runs.directory)/none"),
                "\(none.diagnosis)")
            let key = try luna("doctor", "--set", "crop_sise=32")
            #expect(key.status == 65 && key.diagnosis.contains("crop_size"))
            let place = try luna(
                "doctor", "--config", runs.configuration, "--timeline", "\(runs.directory)/none/a.json")
            #expect(place.status == 74 && place.diagnosis.contains("no directory"), "\(place.diagnosis)")
            let usage = try luna("doctor", "--threads", "0")
            #expect(usage.status == 64)
            // Nothing that stops doctor, but the run would not start.
            let six = try luna("doctor", "--config", runs.configuration, "--set", "replicas=6")
            #expect(six.status == 65 && six.output.contains("problem: replicas: 6 is not a power of two"))
            #expect(six.output.contains("\n1 problem"))
            let three = try mpirun(ranks: 3, limit: 60, "doctor", "--config", runs.configuration, "--threads", "1")
            #expect(three.status == 65 && three.output.contains("start 1, 2, 4 ranks"), "\(three.output)")
        }
    }

    /// Ranks that see other data, or none: told with rank and host.
    @Test func doctorOfUnlikeRanks() throws {
        try withTinyRuns { runs in
            let copy = "\(runs.directory)/copy"
            try FileManager.default.copyItem(atPath: runs.data, toPath: copy)
            func job(_ second: String) throws -> ProgramRun {
                let options = ["--config", runs.configuration, "--threads", "1"]
                return try mpirun(
                    ranks: 1, limit: 60,
                    ["doctor", "--data", runs.data] + options + [":", "-n", "1", lunaPath, "doctor"]
                        + ["--data", second] + options)
            }
            let missing = try job("\(runs.directory)/none")
            let line = missing.diagnosis.split(separator: "\n").first { $0.hasPrefix("luna: ") }
            #expect(missing.status == 65 && line?.hasPrefix("luna: rank 1 on ") == true, "\(missing.diagnosis)")

            // Other volumes under the same names.
            let manifest = "\(copy)/dataset.json"
            let text = String(decoding: try FileContent.bytes(manifest), as: UTF8.self)
            let number = try #require(text.firstMatch(of: /"crc32"\s*:\s*([0-9]+)/))
            try AtomicFile.write(text.replacing(number.1, with: "1", maxReplacements: 1), to: manifest)
            let other = try job(copy)
            #expect(other.status == 65 && other.output.contains("the ranks see different data sets"), "\(other.output)")
        }
    }

    /// The table of ranks and the warnings stand at the start of every run.
    @Test func trainingStartsWithTheTable() throws {
        try withTinyRuns { runs in
            let job = try mpirun(
                ranks: 2, runs.run().train("epochs=1", "steps_per_epoch=1", "threads=\(tooManyThreads)"))
            #expect(job.status == 0, "\(job.diagnosis)")
            let lines = job.diagnosis.split(separator: "\n")
            let header = try #require(lines.firstIndex { $0.hasPrefix("rank  host") })
            #expect(lines[header + 1].hasPrefix("   0  ") && lines[header + 2].hasPrefix("   1  "))
            #expect(lines.contains { $0.hasPrefix("warning: ranks 0-1 on ") && $0.contains("threads share") })
        }
    }
}
