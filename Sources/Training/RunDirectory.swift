// A run's files: the resolved configuration, the log, the checkpoints.

import Basics
import FileIO
import Foundation

public struct RunDirectory: Sendable {
    public let path: String

    public init(_ path: String) { self.path = Path.withoutTrailingSlashes(path) }

    public var configurationPath: String { "\(path)/config.yaml" }
    public var metricsPath: String { "\(path)/metrics.jsonl" }
    private var checkpoints: String { "\(path)/checkpoints" }
    private var latestPath: String { "\(checkpoints)/latest" }
    private var bestPath: String { "\(checkpoints)/best" }
    public var tensorBoardPath: String { "\(path)/tensorboard" }

    /// Whether a run was started here.
    ///
    /// - Throws: `FileError`.
    public func holdsRun() throws -> Bool {
        try FileContent.size(configurationPath) != nil || !checkpointPaths().isEmpty
    }

    /// Makes the directories.
    ///
    /// - Throws: `FileError`.
    public func create() throws { try FileContent.makeDirectory(checkpoints) }

    /// The checkpoints' paths, oldest first.
    ///
    /// - Throws: `FileError`.
    public func checkpointPaths() throws -> [String] {
        guard FileContent.isDirectory(checkpoints) else { return [] }
        return try FileContent.names(inDirectory: checkpoints)
            .filter { $0.hasPrefix("step-") && $0.hasSuffix(".h5") }.map { "\(checkpoints)/\($0)" }
    }

    /// The newest checkpoint that is whole.
    ///
    /// - Parameter damaged: Told of each newer one that is not.
    /// - Throws: `InputError` where there are checkpoints but none is whole.
    public func newestCheckpoint(damaged: (InputError) -> Void) throws -> (path: String, checkpoint: Checkpoint)? {
        let paths = try checkpointPaths()
        for path in paths.reversed() {
            do { return (path, try Checkpoint.read(path)) } catch let error as InputError { damaged(error) }
        }
        if paths.isEmpty { return nil }
        throw InputError(
            checkpoints, "none of \(paths.count) checkpoints is whole", remedy: "start again in another directory")
    }

    /// The file that a pointer names, `checkpoints/latest` or `checkpoints/best` of some run; nil where the path is none.
    ///
    /// - Throws: `InputError` where the pointer is damaged or its checkpoint is gone.
    public static func target(ofPointer path: String) throws -> String? {
        // The path stays as it was given: made absolute, it would be equal to none of `checkpointPaths`.
        guard ["latest", "best"].contains(Path.name(of: path)), let size = FileContent.size(path),
            size < 256
        else { return nil }
        let name = String(decoding: try FileContent.bytes(path), as: UTF8.self).split(separator: "\n").first.map(
            String.init)
        guard let name, name.hasPrefix("step-"), name.hasSuffix(".h5"), !name.contains("/") else {
            throw InputError(path, "does not name a checkpoint", remedy: "name the checkpoint itself")
        }
        let target = Path.beside(path, name)
        guard FileContent.size(target) != nil else {
            throw InputError(path, "names \(name), which is not there", remedy: "name another checkpoint")
        }
        return target
    }

    /// Writes a checkpoint durably, points `latest` at it, and removes those beyond the newest `keep`, but never the best.
    ///
    /// - Returns: Its path.
    /// - Throws: `FileError`.
    @discardableResult
    public func write(_ checkpoint: Checkpoint, keep: Int) throws -> String {
        let name = Self.name(checkpoint.step)
        try checkpoint.write(to: "\(checkpoints)/\(name)")
        try AtomicFile.write(name + "\n", to: latestPath)
        let best = try? Self.target(ofPointer: bestPath)
        for path in try checkpointPaths().dropLast(keep) where !path.hasSuffix("/\(name)") && path != best {
            guard unlink(path) == 0 || errno == ENOENT else { throw FileError(path, "remove") }
        }
        return "\(checkpoints)/\(name)"
    }

    /// Points `best` at the checkpoint of a step.
    ///
    /// - Throws: `FileError`.
    public func markBest(step: Int) throws { try AtomicFile.write(Self.name(step) + "\n", to: bestPath) }

    private static func name(_ step: Int) -> String { "step-\(step.zeroPadded(to: 8)).h5" }

    /// Removes what a killed process left half-written.
    ///
    /// - Throws: `FileError`.
    public func removeLeftovers() throws {
        for directory in [path, checkpoints, tensorBoardPath] where FileContent.isDirectory(directory) {
            for name in try FileContent.names(inDirectory: directory) where name.contains(".tmp-") {
                unlink("\(directory)/\(name)")
            }
        }
    }
}
