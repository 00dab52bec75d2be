import ArgumentParser
import CT
import Detection
import FileIO
import Foundation
import Interchange
import Networks
import Training

struct WeightsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights",
        abstract: "Carry weights to and from other programs: safetensors and ONNX.",
        discussion: """
            EXAMPLES
              luna weights export --weights runs/fold0 --output fold0.safetensors
              luna weights export --weights runs/fold0 --output fold0.onnx
              luna weights import --input theirs.safetensors --output theirs.h5 --preset dsb2017
              luna weights show runs/fold0

            Checkpoints of PyTorch become safetensors by scripts/convert_checkpoint.py; scripts/load_safetensors.py \
            loads an export into the network in PyTorch.
            """,
        subcommands: [WeightsExport.self, WeightsImport.self, WeightsShow.self])
}

private func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

struct WeightsExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write weights as safetensors, or the network with them as ONNX.")

    enum Format: String, CaseIterable, ExpressibleByArgument { case safetensors, onnx }

    @OptionGroup var trained: WeightsOption

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var output: String

    @Option(help: ArgumentHelp("The format; by default the output's extension.", valueName: "name"))
    var format: Format?

    @OptionGroup var constants: PresetOption

    func run() throws {
        guard let format = format ?? Format.allCases.first(where: { output.lowercased().hasSuffix(".\($0.rawValue)") })
        else { throw UsageError("\(output) ends in neither .safetensors nor .onnx; add --format") }
        let source = try trained.source { note($0) }
        var plan = OutputPlan()
        trained.plan(&plan, source)
        try plan.write(file: output, as: "--output") { place in
            Format.allCases.contains { place.lowercased().hasSuffix(".\($0.rawValue)") }
        }
        let state = try source.state()
        let experiment = try source.configuration()
        let preset = constants.preset ?? experiment?.preset
        let hasAnchors = RecipeName.hasAnchors(state.architecture)
        if preset == nil && hasAnchors {
            note("\(source.path) does not say which anchors it was trained with; --preset would")
        }
        let origin = WeightsOrigin(
            preset: preset?.rawValue, anchors: hasAnchors ? preset?.anchors ?? [] : [],
            validationFold: experiment?.validationFold)
        switch format {
        case .safetensors: try Safetensors.write(state, origin: origin, to: output)
        case .onnx: try ONNXNetwork.write(state, origin: origin, to: output)
        }
        Messages.tell("\(source.path) as \(format.rawValue): \(output)", of: output)
    }
}

struct WeightsImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a weight file from safetensors, for `luna detect` and `initial_weights`.",
        discussion: """
            Names and shapes are those of PyTorch's state_dict, with or without `module.` before them; values are F32, \
            F64, F16 or BF16.
            """)

    @Option(help: ArgumentHelp("A safetensors file.", valueName: "file"))
    var input: String

    @Option(help: ArgumentHelp("The weight file to write.", valueName: "h5"))
    var output: String

    @OptionGroup var constants: PresetOption

    func run() throws {
        var plan = OutputPlan()
        plan.read(input, as: "--input")
        try plan.write(file: output, as: "--output", form: .file)
        let file = try Safetensors(contentsOf: input)
        let state = try file.networkState()
        let configuration = try knownConfiguration(file)
        try WeightsFile.write(state, configuration: configuration, to: output)
        print("\(input) as a weight file: \(output)")
        if configuration == nil && RecipeName.hasAnchors(state.architecture) {
            note(
                "\(input) does not say which anchors it was trained with; luna detect takes those of luna16 or --preset"
            )
        }
    }

    /// The parts of a configuration that `luna detect` looks for in a weight file: the preset, and the fold that was
    /// held out.
    private func knownConfiguration(_ file: Safetensors) throws -> String? {
        let origin = WeightsOrigin(metadata: file.metadata)
        guard let name = constants.preset?.rawValue ?? origin.preset else { return nil }
        guard let preset = Preset(rawValue: name) else {
            throw InputError(
                input, at: "__metadata__.preset", "`\(name.prefix(40))`, expected \(Preset.names)",
                remedy: "add --preset")
        }
        if let fold = origin.validationFold, !(0..<LUNA16Layout.foldCount ~= fold) {
            throw InputError(
                input, at: "__metadata__.validation_fold",
                "\(fold), expected 0 to \(LUNA16Layout.foldCount - 1)")
        }
        return "preset: \(preset.rawValue)\nvalidation_fold: \(origin.validationFold.map(String.init) ?? "null")\n"
    }
}

struct WeightsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print what weights consist of: every tensor's shape and size.")

    @Argument(help: "A checkpoint, a weight file, a run directory, or a safetensors file.")
    var file: String

    func run() throws {
        let (path, state, facts) = try read()
        var digest = Digest()
        digest.add(state.parameters)
        digest.add(state.statistics)
        print(
            "\(path): \(state.architecture.name), \(state.parameters.count) parameters, "
                + "\(state.statistics.count) running statistics")
        print("  digest \(digest.text)\(facts.map { ", \($0)" }.joined())")
        print(line("TENSOR", "SHAPE", "MEAN", "RMS"))
        for (table, values) in [
            (state.architecture.parameters, state.parameters), (state.architecture.statistics, state.statistics),
        ] {
            for entry in table.entries {
                let tensor = values[entry.range]
                let mean = tensor.reduce(0) { $0 + Double($1) } / Double(tensor.count)
                let square = tensor.reduce(0) { $0 + Double($1) * Double($1) } / Double(tensor.count)
                print(
                    line(
                        entry.name, "\(entry.shape)", String(format: "%.3e", mean),
                        String(format: "%.3e", square.squareRoot())))
            }
        }
    }

    private func read() throws -> (path: String, state: NetworkState, facts: [String]) {
        if file.lowercased().hasSuffix(".safetensors") {
            let file = try Safetensors(contentsOf: file)
            let facts = file.metadata.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.prefix(60))" }
            return (file.file, try file.networkState(), facts.map(printable))
        }
        let source = try WeightsSource(file) { note("warning: \($0); taking the one before") }
        guard let trained = try source.configuration() else { return (source.path, try source.state(), []) }
        let fold = trained.validationFold.map { "fold \($0) held out" } ?? "no fold known to be held out"
        return (source.path, try source.state(), ["preset \(trained.preset.rawValue)", fold])
    }

    /// A file's text without characters that a terminal would obey.
    private func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    private func line(_ name: String, _ shape: String, _ mean: String, _ size: String) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        func aligned(_ text: String) -> String { String(repeating: " ", count: max(1, 11 - text.count)) + text }
        return "  " + padded(name, 30) + padded(shape, 22) + aligned(mean) + aligned(size)
    }
}
