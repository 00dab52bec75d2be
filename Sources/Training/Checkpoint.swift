// A checkpoint holds all that a run needs to go on as if it had never stopped. Random numbers are functions of the seed
// and the step, so there is no generator's state to keep.

import FileIO
import HDF5
import Learning
import Networks

/// The state of a run after a step, and the file it is kept in.
public struct Checkpoint: Hashable, Sendable {
    /// The epoch that the next step belongs to, from 1.
    public var epoch: Int
    /// Completed steps.
    public var step: Int
    /// The seed of the run.
    public var seed: Int
    /// The configuration as YAML.
    public var configuration: String
    /// The network; with local steps the one that all sites share, as the last outer update left it.
    public var state: NetworkState
    /// The state of the optimiser that updates it.
    public var optimizer: OptimizerState
    /// The running mean of the network's weights, where one is kept.
    public var average: WeightsAverage?
    /// Every site's own state; empty without local steps.
    public var sites: [SiteState] = []
    /// Whether the epoch's validation is still to come.
    public var owesValidation: Bool
    /// The running epoch's sums of loss terms, site after site.
    public var epochTerms: [Double]
    /// The number of steps in these sums, site after site.
    public var epochSteps: [Int]
    /// The best evaluation so far, where there was any.
    public var best: BestResult?
    /// The digest of the data set: with another one the run would go on with other samples.
    public var dataDigest: String
    /// The instruction set, on which the bits depend.
    public var arithmetic: String

    /// The state that a site does not share with others.
    public struct SiteState: Hashable, Sendable {
        /// The site's network; nil at a round's end, when it is the shared one.
        public var state: NetworkState?
        /// The state of the optimiser that updates the site's network.
        public var optimizer: OptimizerState
    }

    /// The value of the file's `format` attribute.
    public static let format = "luna checkpoint"
    /// The latest version of the file's layout: 2 added sites, and digests of numbers in strands; 3 added the names of
    /// the network and of the optimiser's slots; 4 has a mean of the weights.
    public static let version: Int64 = 4
    private static let versions: ClosedRange<Int64> = 1...version

    /// The version that is written: the first that has all that this checkpoint holds.
    var writtenVersion: Int64 { average == nil ? 3 : 4 }

    /// The attribute with the number of steps that the mean of the weights has followed.
    private static let averageAttribute = "average_updates"

    /// The digest that the file's content has to match.
    func digest(version: Int64? = nil) -> Digest {
        let version = version ?? writtenVersion
        var digest = Digest()
        func add(_ values: [Float]) { version == 1 ? digest.add(values) : digest.addStrands(values) }
        digest.add(epoch)
        digest.add(step)
        digest.add(seed)
        digest.add(configuration)
        digest.add(owesValidation ? 1 : 0)
        for steps in epochSteps { digest.add(steps) }
        digest.add(dataDigest)
        digest.add(arithmetic)
        for term in epochTerms { digest.add(Int(truncatingIfNeeded: term.bitPattern)) }
        if let best {
            digest.add(Int(truncatingIfNeeded: best.cpm.bitPattern))
            digest.add(best.step)
        }
        func add(_ optimizer: OptimizerState) {
            if version > 2 {
                for name in optimizer.names { digest.add(name) }
                digest.add(optimizer.updates)
            }
            for values in optimizer.slots { add(values) }
        }
        if version > 2 { digest.add(state.architecture.name) }
        for values in [state.parameters, state.statistics] { add(values) }
        add(optimizer)
        if let average {
            digest.add(average.updates)
            for values in [average.state.parameters, average.state.statistics] { add(values) }
        }
        for site in sites {
            if let state = site.state { for values in [state.parameters, state.statistics] { add(values) } }
            add(site.optimizer)
        }
        return digest
    }

    /// Writes the checkpoint, in one piece or not at all.
    ///
    /// - Throws: `FileError`.
    public func write(to path: String) throws { try write(to: path, version: writtenVersion) }

    /// Writes the layout of a version; version 1 has no sites.
    func write(to path: String, version: Int64) throws {
        try AtomicFile.write(to: path) { temporary in
            let file = try HDF5File(creating: temporary, named: path)
            try file.setAttribute("format", to: Self.format)
            try file.setAttribute("version", to: version)
            try file.setAttribute("epoch", to: Int64(epoch))
            try file.setAttribute("step", to: Int64(step))
            try file.setAttribute("seed", to: Int64(seed))
            try file.setAttribute("config", to: configuration)
            try file.setAttribute("owes_validation", to: Int64(owesValidation ? 1 : 0))
            try file.setAttribute("epoch_terms", to: epochTerms)
            try file.setAttribute("epoch_steps", to: epochSteps.map { Int64($0) })
            if let best {
                try file.setAttribute("best_cpm", to: best.cpm)
                try file.setAttribute("best_step", to: Int64(best.step))
            }
            try file.setAttribute("data_digest", to: dataDigest)
            try file.setAttribute("arithmetic", to: arithmetic)
            try file.setAttribute("digest", to: digest(version: version).text)
            if version > 1 { try file.setAttribute("sites", to: Int64(sites.count)) }
            if version > 2 {
                try file.setAttribute(WeightsFile.architectureAttribute, to: state.architecture.name)
            }
            try WeightsFile.writeModel(state, to: file)
            FaultInjection.current?.pass(.write, rank: 0, step: step)
            let tensors = state.architecture.parameters
            try optimizer.write(to: file, group: "/optimizer", tensors, describes: version > 2)
            if let average {
                try file.setAttribute(Self.averageAttribute, to: Int64(average.updates))
                try WeightsFile.writeModel(average.state, group: WeightsFile.averageGroup, to: file)
            }
            for (index, site) in sites.enumerated() {
                let group = "/sites/\(index)"
                if let state = site.state { try WeightsFile.writeModel(state, group: "\(group)/model", to: file) }
                try site.optimizer.write(to: file, group: group, tensors, describes: version > 2)
            }
            // On a network file system closing waits for the data. HDF5's lock is held meanwhile, which the threads
            // that read patches need: so the data is flushed first, without the lock.
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
        guard versions.contains(foundVersion) else { throw VersionError(file: path, found: Int(foundVersion)) }
        let architecture = try WeightsFile.architecture(of: file)
        let checkpoint = Checkpoint(
            epoch: Int(try file.attribute("epoch", as: Int64.self)),
            step: Int(try file.attribute("step", as: Int64.self)),
            seed: Int(try file.attribute("seed", as: Int64.self)),
            configuration: try file.attribute("config", as: String.self),
            state: try WeightsFile.readModel(architecture, from: file),
            optimizer: try OptimizerState(reading: file, group: "/optimizer", architecture.parameters),
            average: try readAverage(architecture, from: file),
            sites: try readSites(architecture, from: file),
            owesValidation: try file.attribute("owes_validation", as: Int64.self) != 0,
            epochTerms: try file.attribute("epoch_terms", as: [Double].self),
            epochSteps: try file.attribute("epoch_steps", as: [Int64].self).map { Int($0) },
            best: file.hasAttribute("best_cpm")
                ? BestResult(
                    cpm: try file.attribute("best_cpm", as: Double.self),
                    step: Int(try file.attribute("best_step", as: Int64.self))) : nil,
            dataDigest: try file.attribute("data_digest", as: String.self),
            arithmetic: try file.attribute("arithmetic", as: String.self))
        guard try file.attribute("digest", as: String.self) == checkpoint.digest(version: foundVersion).text
        else {
            throw InputError(path, "the content does not match its digest: the file is damaged")
        }
        return checkpoint
    }

    private static func readAverage(
        _ architecture: Architecture, from file: borrowing HDF5File
    ) throws -> WeightsAverage? {
        guard file.hasAttribute(averageAttribute) else { return nil }
        let updates = try file.attribute(averageAttribute, as: Int64.self)
        guard 0...Int64(Int32.max) ~= updates else {
            throw InputError(file.path, at: averageAttribute, "\(updates), which no run comes to")
        }
        return WeightsAverage(
            try WeightsFile.readModel(architecture, group: WeightsFile.averageGroup, from: file),
            updates: Int(updates))
    }

    private static func readSites(
        _ architecture: Architecture, from file: borrowing HDF5File
    ) throws -> [SiteState] {
        guard file.hasAttribute("sites") else { return [] }
        let count = try file.attribute("sites", as: Int64.self)
        let found = file.isGroup("/sites") ? try file.names(in: "/sites").count : 0
        guard count == found else { throw InputError(file.path, at: "sites", "\(count), \(found) are there") }
        // One group may be there under many names.
        let bytes = 4 * architecture.parameters.count
        guard found <= (FileContent.size(file.path) ?? .max) / bytes else {
            throw InputError(file.path, at: "sites", "\(count), more than the file can hold")
        }
        return try (0..<found).map { index in
            let group = "/sites/\(index)"
            return SiteState(
                state: file.isGroup("\(group)/model")
                    ? try WeightsFile.readModel(architecture, group: "\(group)/model", from: file) : nil,
                optimizer: try OptimizerState(reading: file, group: group, architecture.parameters))
        }
    }
}

/// An error for a checkpoint that another version of the program wrote: it is whole, so it must be neither skipped nor
/// overwritten.
public struct VersionError: Error, CustomStringConvertible {
    let file: String
    let found: Int

    public var description: String {
        "\(file): checkpoint version \(found), this program reads up to \(Checkpoint.version); "
            + "use the luna that wrote it"
    }
}
