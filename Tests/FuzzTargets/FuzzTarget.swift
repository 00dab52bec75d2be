// What luna reads from files that others made, each kind behind one function that takes bytes: for the fuzzer
// (scripts/fuzz), and for the test that reads again what the fuzzer once found.

import FileIO
import Foundation
import Training

/// The readers of one kind of file.
public struct FuzzTarget: Sendable {
    public let name: String
    /// What the file is called in its directory, which some readers go by.
    let file: String
    /// Words of the format, for the fuzzer to put in.
    public let words: [String]
    let seed: @Sendable (_ directory: String) throws -> [[UInt8]]
    let read: @Sendable (_ path: String) throws -> Void

    public static let all: [FuzzTarget] = [
        .nifti, .nrrd, .metaImage, .table, .annotations, .manifest, .configuration, .safetensors, .volume, .shard,
        .weights,
    ]

    /// Small good files to begin with.
    ///
    /// - Parameter directory: An empty one, to work in.
    public func seeds(in directory: String) throws -> [[UInt8]] { try seed(directory) }

    /// Has every reader of the kind read `bytes`. A file that is refused as it should be counts as read.
    ///
    /// - Parameter directory: Where the file is put.
    /// - Throws: Any error but those that name the file and what is wrong with it.
    public func run(_ bytes: UnsafeRawBufferPointer, in directory: String) throws {
        let path = "\(directory)/\(file)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, write(descriptor, bytes.baseAddress, bytes.count) == bytes.count,
            close(descriptor) == 0
        else { throw FileError(path, "write") }
        try read(path)
    }

    /// Runs one reader; the next one gets the same file.
    static func attempt(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as InputError {
            precondition(!error.description.isEmpty && !error.description.contains("\n"), "not one line")
        } catch let error as FileError {
            precondition(!error.description.isEmpty, "no text")
        } catch let error as VersionError {
            precondition(!error.description.isEmpty, "no text")
        }
    }
}
