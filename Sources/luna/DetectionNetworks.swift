import Compute
import Detection
import FileIO
import Inference
import Networks
import Training

/// The networks that `luna detect` searches with: one for each `--weights`, in the order given.
struct DetectionNetworks {
    /// A network with its weights, and what is known of its training.
    private struct Member {
        let path: String
        let state: NetworkState
        let experiment: TrainingConfiguration?
        let preset: Preset
        let digest: String

        init(_ source: WeightsSource, _ chosen: Preset?) throws {
            path = source.path
            state = try source.state()
            experiment = try source.configuration()
            preset = chosen ?? experiment?.preset ?? .luna16
            var digest = Digest()
            digest.add(state.parameters)
            digest.add(state.statistics)
            self.digest = digest.text
        }

        /// The meaning of the output; imported weights know their preset at most.
        var recipe: any Recipe {
            RecipeName.standard(for: state.architecture, named: experiment?.recipe).recipe(anchors: preset.anchors)
        }

        /// The text that tells this network from others.
        var key: String { "\(state.architecture.name) \(digest), \(type(of: recipe)) \(recipe.anchors)" }

        var bytes: Int {
            (state.parameters.count + state.statistics.count) * MemoryLayout<Float>.stride
        }
    }

    private let members: [Member]

    /// Reads weights.
    ///
    /// - Parameters:
    ///   - sources: The files.
    ///   - preset: The constants that all were trained with; nil: those that each file names.
    /// - Throws: `InputError` where a file cannot be read, or two were trained with different constants; `UsageError`
    ///   where two are the same network.
    init(_ sources: [WeightsSource], preset: Preset?) throws {
        members = try sources.map { try Member($0, preset) }
        for (place, member) in members.enumerated() {
            for other in members[..<place] {
                if other.state.architecture == member.state.architecture && other.digest == member.digest {
                    throw UsageError(
                        "--weights \(other.path) and --weights \(member.path) hold the same weights (digest "
                            + "\(member.digest)): name each network once")
                }
                // What a file says is not overruled for one network and believed for another.
                let (own, its) = (member.experiment?.preset, other.experiment?.preset)
                if let own, let its, own != its { throw Self.conflict(member, own, other, its) }
                if member.preset != other.preset { throw Self.conflict(member, member.preset, other, other.preset) }
            }
        }
    }

    private static func conflict(_ member: Member, _ own: Preset, _ other: Member, _ its: Preset) -> InputError {
        func says(_ member: Member) -> String { member.experiment == nil ? "names no preset, which means" : "has" }
        return InputError(
            member.path,
            "\(says(member)) preset \(own.rawValue) (anchors \(own.anchors) mm), and \(other.path) \(says(other)) "
                + "\(its.rawValue) (\(its.anchors) mm)",
            remedy: "join networks of one preset; --preset says it for files that do not")
    }

    /// The number of networks.
    var count: Int { members.count }

    /// The files, for people.
    var text: String { members.map(\.path).joined(separator: ", ") }

    /// The text that tells these networks, in this order, from others.
    var key: String { members.map(\.key).joined(separator: "; ") }

    /// The fold that each network was not trained on; nil where it is not known.
    var heldOut: [Int?] { members.map { $0.experiment?.validationFold } }

    /// The files whose networks are known to have been trained on a fold.
    func trained(on fold: Int) -> [String] {
        members.filter { $0.experiment.map { $0.validationFold != fold } ?? false }.map(\.path)
    }

    /// Detectors, one for each network.
    ///
    /// A single network's answers to mirror images are averaged; of several networks each view has findings of its own.
    func detectors(_ engine: Engine, mirrors: Bool) -> [ScanDetector] {
        let bytes = members.reduce(0) { $0 + $1.bytes }
        let layers = Layers(engine)
        return members.map { member in
            let answer: Mirrors.Network = { input, coord in
                layers.network(member.state.architecture).forward(
                    member.state, input: input, coord: coord, mode: .evaluation)
            }
            let recipe = member.recipe
            let views =
                if !mirrors {
                    [answer]
                } else if members.count == 1 {
                    [Mirrors.averaging(answer, offsetSum: recipe.mirroredOffsetSum)]
                } else {
                    Mirrors.views(answer, offsetSum: recipe.mirroredOffsetSum)
                }
            var detector = ScanDetector(recipe: recipe, member.state.architecture, views: views)
            detector.otherBytes = bytes - member.bytes
            return detector
        }
    }

    /// The layers of the networks on one engine: networks of one architecture have them in common, and what one
    /// architecture's layers leave in the engine's memory is gone before another's work.
    private final class Layers {
        private let engine: Engine
        private var current: Network?

        init(_ engine: Engine) { self.engine = engine }

        func network(_ architecture: Architecture) -> Network {
            if let current, current.architecture == architecture { return current }
            current = nil
            let network = Network(architecture, engine: engine)
            // It is new, so that it gives back what others have left unused, before its first pass.
            current = network
            return network
        }
    }
}
