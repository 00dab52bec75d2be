import FileIO
import Foundation
import HDF5
import Network
import Training

/// What `--weights` names: a weight file, a checkpoint, a run (its newest checkpoint), or one of a run's pointers,
/// `checkpoints/latest` and `checkpoints/best`.
struct WeightsArgument {
    /// The file.
    let path: String
    let state: NetworkState
    /// The experiment that the weights come from, where the file says so.
    let configuration: TrainingConfiguration?

    /// - Parameter note: Told of checkpoints that are passed over since they are damaged.
    /// - Throws: `InputError`, `FileError`.
    init(_ argument: String, note: (String) -> Void) throws {
        path = try Self.file(argument, note: note)
        state = try WeightsFile.read(path)
        let file = try HDF5File(reading: path)
        configuration =
            file.hasAttribute("config")
            ? try TrainingConfiguration.parse(try file.attribute("config", as: String.self), file: path) : nil
    }

    static func file(_ argument: String, note: (String) -> Void) throws -> String {
        if let target = try RunDirectory.target(ofPointer: argument) { return target }
        guard FileContent.isDirectory(argument) else { return argument }
        let newest = try RunDirectory(argument).newestCheckpoint { note("warning: \($0); taking the one before") }
        guard let newest else {
            throw InputError(argument, "holds no checkpoint", remedy: "name a checkpoint, or train first")
        }
        return newest.path
    }
}
