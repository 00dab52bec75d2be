import ArgumentParser
import FileIO
import PatchData
import Training

struct ReplayBatches: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batches",
        abstract: "Write the crops that a training run is given, for another framework to train on.",
        discussion: """
            EXAMPLES
              luna replay batches --data luna16-patches --config luna16.yaml --steps 100 --output batches.h5

            With K steps and R replicas of N crops: /input uint8 [K,R,N,1,D,H,W], of which the network is given (u - \
            128)/128, /coord [K,R,N,3,D/4,H/4,W/4], /labels [K,R,N,D/4,H/4,W/4,3,5], /learning_rate [K], the run's \
            initial weights /model/<name>, and the attributes momentum, weight_decay and config (YAML).
            """)

    @OptionGroup var dataset: DatasetOption

    @OptionGroup var experiment: ExperimentOptions

    @Option(help: ArgumentHelp("How many steps; by default all to the run's end.", valueName: "n"))
    var steps: Int?

    @Option(help: ArgumentHelp("The first of them, counted from 1 as in metrics.jsonl.", valueName: "n"))
    var firstStep = 1

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var output: String

    func validate() throws {
        if let steps, !(1...1_000_000_000 ~= steps) {
            throw ValidationError("--steps is 1 to 1000000000, not \(steps)")
        }
        if !(1...1_000_000_000 ~= firstStep) {
            throw ValidationError("--first-step is 1 to 1000000000, not \(firstStep)")
        }
    }

    func run() throws {
        let configuration = try experiment.configuration()
        var plan = OutputPlan()
        plan.read(dataset.data, as: "--data")
        experiment.plan(&plan, configuration)
        try plan.write(file: output, as: "--output", form: .file)
        let source = try TrainCommand.dataset(dataset.data, for: configuration)
        var progress: ProgressLine?
        try BatchRecording.write(
            first: firstStep - 1, count: steps, of: configuration, source: source, name: dataset.data, to: output
        ) { written, total in
            if progress == nil { progress = ProgressLine("step", total: total) }
            progress?.update(written)
        }
        progress?.finish()
        print(output)
    }
}
