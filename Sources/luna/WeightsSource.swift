import FileIO
import Foundation
import HDF5
import Networks
import Runs
import Training

/// The file that `--weights` names: a checkpoint, a weight file, the newest whole checkpoint of a run directory, or one
/// of a run's pointers, `checkpoints/latest` and `checkpoints/best`.
struct WeightsSource {
    /// The file that is read.
    let path: String

    /// Finds the file.
    ///
    /// - Parameters:
    ///   - path: The path as the user gave it.
    ///   - damaged: Told of each newer checkpoint that is not whole.
    /// - Throws: `InputError` where a directory holds no whole checkpoint; `FileError`.
    init(_ path: String, damaged: (InputError) -> Void) throws {
        guard FileContent.isDirectory(path) else {
            self.path = try RunDirectory.target(ofPointer: path) ?? path
            return
        }
        guard let newest = try RunDirectory(path).newestCheckpoint(damaged: damaged) else {
            throw InputError(path, "holds no checkpoint", remedy: "name a checkpoint, or train first")
        }
        self.path = newest.path
    }

    /// The weights.
    ///
    /// - Throws: `InputError`.
    func state() throws -> NetworkState { try WeightsFile.read(path) }

    /// The experiment that the weights come from, where the file says so.
    ///
    /// - Throws: `InputError`.
    func configuration() throws -> TrainingConfiguration? {
        let file = try HDF5File(reading: path)
        guard file.hasAttribute("config") else { return nil }
        return try TrainingConfiguration.parse(try file.attribute("config", as: String.self), file: path)
    }
}
