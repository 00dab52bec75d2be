// A run's files: the resolved configuration, the log, the checkpoints. Only its writer knows what a checkpoint holds.

import Basics
import FileIO
import Foundation

/// The directory of a run: the paths of its files, and the list of its checkpoints.
public struct RunDirectory: Sendable {
    /// The directory's path as it was given, without slashes at its end.
    public let path: String

    /// Names a run's directory, which need not exist.
    public init(_ path: String) { self.path = Path.withoutTrailingSlashes(path) }

    /// The path of the resolved configuration.
    public var configurationPath: String { "\(path)/config.yaml" }
    /// The path of the log: see `MetricsLog`.
    public var metricsPath: String { "\(path)/metrics.jsonl" }
    /// The path of the directory of TensorBoard's event files.
    public var tensorBoardPath: String { "\(path)/tensorboard" }
    private var checkpoints: String { "\(path)/checkpoints" }
    private var latestPath: String { "\(checkpoints)/latest" }
    private var bestPath: String { "\(checkpoints)/best" }

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
            .filter(Self.isCheckpoint).map { "\(checkpoints)/\($0)" }
    }

    /// Completed steps of the newest checkpoint, by its name; nil where there is none.
    ///
    /// - Throws: `FileError`.
    public func newestStep() throws -> Int? {
        try checkpointPaths().last.flatMap { Int(Path.name(of: $0).dropFirst(Self.prefix.count).dropLast(3)) }
    }

    /// The newest checkpoint that is whole.
    ///
    /// - Parameters:
    ///   - read: Reads a checkpoint; throws `InputError` where it is not whole.
    ///   - damaged: Receives the error of each newer one that is not whole.
    /// - Throws: `InputError` where there are checkpoints but none is whole; other errors that `read` throws.
    public func newestCheckpoint<Checkpoint>(
        _ read: (_ path: String) throws -> Checkpoint, damaged: (InputError) -> Void
    ) throws -> (path: String, checkpoint: Checkpoint)? {
        let paths = try checkpointPaths()
        for path in paths.reversed() {
            do { return (path, try read(path)) } catch let error as InputError { damaged(error) }
        }
        if paths.isEmpty { return nil }
        throw InputError(
            checkpoints, "none of \(paths.count) checkpoints is whole", remedy: "start again in another directory")
    }

    /// The file that a pointer names, `checkpoints/latest` or `checkpoints/best` of some run; nil where the path is no
    /// pointer.
    ///
    /// - Throws: `InputError` where the pointer is damaged or its checkpoint is gone.
    public static func target(ofPointer path: String) throws -> String? {
        // The path stays as it was given: made absolute, it would be equal to none of `checkpointPaths`.
        guard ["latest", "best"].contains(Path.name(of: path)), let size = FileContent.size(path),
            size < 256
        else { return nil }
        let name = String(decoding: try FileContent.bytes(path), as: UTF8.self).split(separator: "\n").first.map(
            String.init)
        guard let name, isCheckpoint(name), !name.contains("/") else {
            throw InputError(path, "does not name a checkpoint", remedy: "name the checkpoint itself")
        }
        let target = Path.beside(path, name)
        guard FileContent.size(target) != nil else {
            throw InputError(path, "names \(name), which is not there", remedy: "name another checkpoint")
        }
        return target
    }

    /// Adds a checkpoint, points `latest` at it, and removes all but the newest `keep` checkpoints and the best one.
    ///
    /// - Parameters:
    ///   - step: Completed steps.
    ///   - write: Writes the checkpoint to a path, durably, in one piece or not at all.
    /// - Returns: The checkpoint's path.
    /// - Throws: `FileError`; errors that `write` throws.
    public func addCheckpoint(step: Int, keep: Int, write: (_ path: String) throws -> Void) throws -> String {
        let name = Self.name(step)
        try write("\(checkpoints)/\(name)")
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

    private static let prefix = "step-"

    private static func name(_ step: Int) -> String { "\(prefix)\(step.zeroPadded(to: 8)).h5" }

    private static func isCheckpoint(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(".h5") }

    /// Removes half-written files of a killed process.
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
