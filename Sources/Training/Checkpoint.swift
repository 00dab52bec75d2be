// A checkpoint: all that a run needs to go on as if it had never stopped. Random numbers are functions of the seed and
// the step, so that there is no generator's state in it.

import FileIO
import HDF5
import Network

public struct Checkpoint: Hashable, Sendable {
    /// The epoch that the next step belongs to, from 1.
    public var epoch: Int
    /// Completed steps.
    public var step: Int
    public var seed: Int
    /// The configuration as YAML.
    public var configuration: String
    public var state: NetworkState
    /// Laid out as `NoduleNetwork.parameters`.
    public var momentum: [Float]
    /// Whether the epoch's validation is still to come.
    public var owesValidation: Bool
    /// Sums of the running epoch's log, and the steps they add up.
    public var epochTerms: [Double]
    public var epochSteps: Int
    /// The best evaluation so far, where there was any.
    public var best: BestResult?
    /// Of the data set: another one would go on with other samples.
    public var dataDigest: String
    /// The instruction set and OpenBLAS's kernels, on which the bits depend.
    public var arithmetic: String

    public static let format = "luna checkpoint"
    public static let version: Int64 = 1

    /// What the file's content must add up to.
    private var digest: Digest {
        var digest = Digest()
        digest.add(epoch)
        digest.add(step)
        digest.add(seed)
        digest.add(configuration)
        digest.add(owesValidation ? 1 : 0)
        digest.add(epochSteps)
        digest.add(dataDigest)
        digest.add(arithmetic)
        for term in epochTerms { digest.add(Int(truncatingIfNeeded: term.bitPattern)) }
        if let best {
            digest.add(Int(truncatingIfNeeded: best.cpm.bitPattern))
            digest.add(best.step)
        }
        digest.add(state.parameters)
        digest.add(state.statistics)
        digest.add(momentum)
        return digest
    }

    /// Writes the checkpoint, in one piece or not at all.
    ///
    /// - Throws: `FileError`.
    public func write(to path: String) throws {
        try AtomicFile.write(to: path) { temporary in
            let file = try HDF5File(creating: temporary, named: path)
            try file.setAttribute("format", to: Self.format)
            try file.setAttribute("version", to: Self.version)
            try file.setAttribute("epoch", to: Int64(epoch))
            try file.setAttribute("step", to: Int64(step))
            try file.setAttribute("seed", to: Int64(seed))
            try file.setAttribute("config", to: configuration)
            try file.setAttribute("owes_validation", to: Int64(owesValidation ? 1 : 0))
            try file.setAttribute("epoch_terms", to: epochTerms)
            try file.setAttribute("epoch_steps", to: Int64(epochSteps))
            if let best {
                try file.setAttribute("best_cpm", to: best.cpm)
                try file.setAttribute("best_step", to: Int64(best.step))
            }
            try file.setAttribute("data_digest", to: dataDigest)
            try file.setAttribute("arithmetic", to: arithmetic)
            try file.setAttribute("digest", to: digest.text)
            try WeightsFile.writeModel(state, to: file)
            FaultInjection.current?.pass(.write, rank: 0, step: step)
            try WeightsFile.writeTable(
                NoduleNetwork.parameters, momentum, group: "/optimizer/momentum", to: file)
            // On a network file system closing waits for the data, and does so with the library's lock held, for which
            // the threads wait that read patches: so the data go first, without it.
            try AtomicFile.synchronize(temporary)
            try file.close()
        }
    }

    /// Reads a checkpoint and checks every bit of its content.
    ///
    /// - Throws: `InputError` where it is damaged, no checkpoint, or of a later version.
    public static func read(_ path: String) throws -> Checkpoint {
        let file = try HDF5File(reading: path)
        let found = file.hasAttribute("format") ? try file.attribute("format", as: String.self) : "none"
        guard found == format else {
            throw InputError(path, at: "format", "\(found), expected \(format)")
        }
        let foundVersion = try file.attribute("version", as: Int64.self)
        guard foundVersion == version else { throw VersionError(file: path, found: Int(foundVersion)) }
        let checkpoint = Checkpoint(
            epoch: Int(try file.attribute("epoch", as: Int64.self)),
            step: Int(try file.attribute("step", as: Int64.self)),
            seed: Int(try file.attribute("seed", as: Int64.self)),
            configuration: try file.attribute("config", as: String.self),
            state: try WeightsFile.readModel(from: file),
            momentum: try WeightsFile.readTable(
                NoduleNetwork.parameters, group: "/optimizer/momentum", from: file),
            owesValidation: try file.attribute("owes_validation", as: Int64.self) != 0,
            epochTerms: try file.attribute("epoch_terms", as: [Double].self),
            epochSteps: Int(try file.attribute("epoch_steps", as: Int64.self)),
            best: file.hasAttribute("best_cpm")
                ? BestResult(
                    cpm: try file.attribute("best_cpm", as: Double.self),
                    step: Int(try file.attribute("best_step", as: Int64.self))) : nil,
            dataDigest: try file.attribute("data_digest", as: String.self),
            arithmetic: try file.attribute("arithmetic", as: String.self))
        guard try file.attribute("digest", as: String.self) == checkpoint.digest.text else {
            throw InputError(path, "the content does not match its digest: the file is damaged")
        }
        return checkpoint
    }
}

/// A checkpoint that another version of the program wrote: whole, but not to be passed over or written over.
public struct VersionError: Error, CustomStringConvertible {
    let file: String
    let found: Int

    public var description: String {
        "\(file): checkpoint version \(found), this program reads \(Checkpoint.version); use the luna that wrote it"
    }
}
