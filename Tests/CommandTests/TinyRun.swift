import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

/// A run of training whose steps take a tenth of a second, on ``TinyData``: what starts it and what it leaves.
struct TinyRun {
    /// The run's directory.
    let path: String
    var data: String
    let configuration: String

    /// The configuration of the tiny runs where a test says nothing else.
    static let settings = [
        "preset": "luna16", "crop_size": "32", "replicas": "4", "epochs": "2", "steps_per_epoch": "3",
        "validation_fold": "1",
        "checkpoint_every_steps": "2", "keep_checkpoints": "20", "output_prior": "0.01", "learning_rate": "0.005",
    ]

    /// The arguments of `luna` that start it.
    func train(_ overrides: String...) -> [String] {
        ["train", "--data", data, "--run", path, "--config", configuration] + overrides.flatMap { ["--set", $0] }
    }

    /// The arguments of `luna` that go on with it as it was configured.
    func resume(_ overrides: String...) -> [String] {
        ["train", "--data", data, "--run", path, "--resume"] + overrides.flatMap { ["--set", $0] }
    }

    /// This run as if it lay in another directory.
    func moved(to path: String) -> TinyRun { TinyRun(path: path, data: data, configuration: configuration) }

    var metrics: String { "\(path)/metrics.jsonl" }
    var checkpoints: String { "\(path)/checkpoints" }
    /// The file that names the newest checkpoint.
    var latest: String { "\(checkpoints)/latest" }

    /// The path of the checkpoint of a step, be it there or not.
    func checkpoint(_ step: Int) -> String { "\(checkpoints)/" + String(format: "step-%08d.h5", step) }

    func hasCheckpoint(_ step: Int) -> Bool { FileContent.size(checkpoint(step)) != nil }

    /// The bytes of the checkpoint of a step. `Data` compares them at once; arrays in a debug build do so one by one.
    func bytes(step: Int) throws -> Data { try mappedBytes(checkpoint(step)) }

    /// The bits of every dataset of the checkpoint of a step, by name.
    func content(step: Int) throws -> [String: Data] {
        let file = try HDF5File(reading: checkpoint(step))
        var content: [String: Data] = [:]
        for name in try file.datasetPaths() {
            content[name] = try file.read(name, as: Float.self).values.withUnsafeBytes { Data($0) }
        }
        return content
    }

    /// The lines of the log of one kind.
    func lines(_ kind: String) throws -> [Substring] {
        String(decoding: try FileContent.bytes(metrics), as: UTF8.self).split(separator: "\n")
            .filter { $0.contains("\"kind\":\"\(kind)\"") }
    }

    /// The lines of the log of one kind, decoded.
    func lines<Line: Decodable>(_ kind: String, as type: Line.Type) throws -> [Line] {
        try lines(kind).map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
    }

    /// The last heartbeat of a rank; nil where there is none yet.
    func heartbeat(of rank: Int) -> Heartbeat? {
        (try? FileContent.bytes("\(path)/ranks/000\(rank).json")).flatMap {
            try? JSONDecoder().decode(Heartbeat.self, from: Data($0))
        }
    }

    struct Heartbeat: Decodable {
        var pid: Int32
        var step: Int
        var state: String
    }

    /// The digest of the newest weights' bits, as `luna weights show` prints it.
    func digest() throws -> String {
        let words = try luna("weights", "show", path).output.split { " ,\n".contains($0) }
        let place = try #require(words.firstIndex(of: "digest"))
        return String(words[place + 1])
    }

    /// Expects that within ten seconds no process is left whose command names the run.
    func expectNobodyLeft() throws {
        var left: [String] = []
        for _ in 0..<500 {
            left = try FileContent.names(inDirectory: "/proc").filter { name in
                guard Int(name) != nil,
                    let command = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8)
                else { return false }
                return command.contains(path)
            }
            if left.isEmpty { return }
            Thread.sleep(forTimeInterval: 0.02)
        }
        Issue.record("processes \(left) are left")
    }
}

/// The bytes of a file, which may be large.
func mappedBytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
}

/// A directory for the runs of one test, with their configuration.
struct TinyRuns {
    let directory: String
    let tiny: TinyData
    let configuration: String

    var data: String { tiny.patches }

    /// Makes the configuration: ``TinyRun/settings`` but for what is overridden.
    init(in directory: String, _ overrides: [String: String] = [:]) throws {
        self.directory = directory
        tiny = try TinyData.shared.get()
        configuration = "\(directory)/config.yaml"
        let settings = TinyRun.settings.merging(overrides) { $1 }
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }
        try AtomicFile.write(lines.joined(), to: configuration)
    }

    /// A run in the directory; nothing is made yet.
    func run(_ name: String = "run") -> TinyRun {
        TinyRun(path: "\(directory)/\(name)", data: data, configuration: configuration)
    }
}

/// Calls `body` with a directory for runs, and removes it afterwards.
func withTinyRuns(_ overrides: [String: String] = [:], _ body: (TinyRuns) throws -> Void) throws {
    try withTemporaryDirectory { try body(TinyRuns(in: $0, overrides)) }
}
