import ArgumentParser
import Basics
import Evaluation
import FileIO
import Foundation
import Report
import Scaling

/// The comparison of runs on more and more ranks, and a model made of it.
struct BenchScaling: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scaling",
        abstract: "How training scales: runs on 1, 2, … ranks compared, and a model of more.",
        discussion: """
            scripts/scaling makes the runs. Of a step, `imbalance` is what an average rank waits for the one that \
            works longest on the whole, `rest` the communication that shows and the waiting for now one rank, now \
            another. The model takes the distribution of a rank's computing from the smallest run, and the network \
            from the options.

            EXAMPLES
              luna bench scaling --weak weak-1 --weak weak-2 --weak weak-4 --strong strong-1 --strong strong-4 \\
                  --output scaling
              luna bench scaling --weak weak-1 --bandwidth 25 --latency 5 --ranks-per-host 8 --hidden 0.6 \\
                  --output scaling
            """)

    @Option(help: ArgumentHelp("A run in which every rank has as many replicas; repeated.", valueName: "run"))
    var weak: [String] = []

    @Option(help: ArgumentHelp("A run of the same replicas on other ranks; repeated.", valueName: "run"))
    var strong: [String] = []

    @Option(
        help: ArgumentHelp(
            "A run of one rank while others like it ran beside it, which shows the machine's limit; repeated.",
            valueName: "run"))
    var apart: [String] = []

    @Option(help: ArgumentHelp("The directory for scaling.json and the plots.", valueName: "dir"))
    var output: String

    @OptionGroup(title: "Model") var model: ModelOptions

    struct ModelOptions: ParsableArguments {
        @Option(help: ArgumentHelp("The speed of a host's link in each direction, Gbit/s.", valueName: "n"))
        var bandwidth = 10.0

        @Option(help: ArgumentHelp("The time from host to host, microseconds one way.", valueName: "n"))
        var latency = 20.0

        @Option(help: ArgumentHelp("Ranks of a host, which share its link.", valueName: "n"))
        var ranksPerHost = 1

        @Option(help: ArgumentHelp("The share of a step's computing that hides the reduction.", valueName: "0…1"))
        var hidden = 0.0

        @Option(help: ArgumentHelp("The share of the gradient that is complete only at the end.", valueName: "0…1"))
        var late = 1.0

        @Option(help: ArgumentHelp("The share of ranks that straggle in a step.", valueName: "0…1"))
        var stragglers = 0.0

        @Option(help: ArgumentHelp("How many times as long as others a straggler takes.", valueName: "n"))
        var slowdown = 2.0

        func validate() throws {
            if !(bandwidth > 0) || !(latency >= 0) || ranksPerHost < 1 || !(slowdown >= 1) {
                throw ValidationError(
                    "--bandwidth is above 0, --latency 0 or more, --ranks-per-host and --slowdown 1 or more")
            }
            for share in [hidden, late, stragglers] where !(0...1 ~= share) {
                throw ValidationError("--hidden, --late and --stragglers are from 0 to 1")
            }
        }
    }

    func validate() throws {
        if weak.isEmpty && strong.isEmpty { throw ValidationError("name runs with --weak or --strong") }
    }

    private struct Row: Encodable {
        let series: String
        let ranks, hosts, threads, replicas, steps: Int
        let cropsPerSecond: Double
        let parts: ScalingRun.Parts
        let efficiency: Double
    }

    private struct Result: Encodable {
        let runs: [Row]
        /// The crops per second of the runs apart, taken together.
        let apartCropsPerSecond: Double?
        let predictions: [StepTimeModel.Prediction]
    }

    private static let files = ["scaling.json", "throughput.svg", "prediction.svg"]

    /// The rank counts to predict.
    private static let predicted = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 10_000]

    func run() throws {
        var plan = OutputPlan()
        for run in weak + strong + apart { plan.read(run, as: "a run") }
        try plan.write(directory: output, as: "--output", files: Self.files)
        let series = try [("weak", weak), ("strong", strong)].filter { !$0.1.isEmpty }.map { name, directories in
            ScalingSeries(name, try directories.map { try ScalingRun(directory: $0) })
        }
        let apart = try apart.map { try ScalingRun(directory: $0) }
        let rows = series.flatMap { entry in
            entry.runs.map { run in
                Row(
                    series: entry.name, ranks: run.ranks, hosts: Set(run.hosts).count, threads: run.threads,
                    replicas: run.replicas, steps: run.steps.count, cropsPerSecond: run.throughput, parts: run.parts,
                    efficiency: entry.efficiency(run))
            }
        }
        print(Self.table(rows).text)
        let apartRate = apart.isEmpty ? nil : apart.reduce(0) { $0 + $1.throughput }
        if let apartRate { print(Self.limit(rows, apart: apart.count, rate: apartRate)) }

        // From weak scaling where there is any: its ranks have as much to do as those that are predicted.
        guard let smallest = series.first?.runs.first else { return }
        let predictions = predictions(from: smallest)
        let each = smallest.replicas / smallest.ranks
        print("\nPredicted from \(smallest.directory), \(each) replica\(each == 1 ? "" : "s") a rank:")
        print(Self.table(predictions.joined().filter { [16, 256, 1024, 10_000].contains($0.ranks) }).text)

        try FileContent.makeDirectory(output)
        let result = Result(runs: rows, apartCropsPerSecond: apartRate, predictions: Array(predictions.joined()))
        let contents = [
            try JSON.encode(result, isIndented: true), Array(ScalingPlots.throughput(series).utf8),
            Array(ScalingPlots.prediction(predictions).utf8),
        ]
        for (name, content) in zip(Self.files, contents) { try AtomicFile.write(content, to: "\(output)/\(name)") }
        print("\n\(output): \(Self.files.joined(separator: ", "))")
    }

    /// The predictions for every way to sum, on more and more ranks.
    private func predictions(from run: ScalingRun) -> [[StepTimeModel.Prediction]] {
        let compute = run.computeTimes
        let step = StepTimeModel(
            compute: compute,
            interconnect: Interconnect(latency: model.latency * 1e-6, bandwidth: model.bandwidth * 1e9 / 8),
            bytes: Double(run.reducedBytes), ranksPerHost: model.ranksPerHost,
            hiddenSeconds: model.hidden * compute.mean,
            lateShare: model.late,
            stragglers: StepTimeModel.Stragglers(share: model.stragglers, slowdown: model.slowdown))
        return ReductionAlgorithm.allCases.map { algorithm in
            Self.predicted.map { step.prediction(ranks: $0, algorithm: algorithm) }
        }
    }

    // MARK: - For people

    private static func table(_ rows: [Row]) -> TextTable {
        var table = TextTable([
            "", "ranks", "hosts", "threads", "replicas", "step s", "compute", "data", "imbalance", "rest", "crops/s",
            "efficiency",
        ])
        for row in rows {
            let parts = [row.parts.compute, row.parts.data, row.parts.imbalance, row.parts.rest]
            table.add(
                [row.series] + [row.ranks, row.hosts, row.threads, row.replicas].map(String.init)
                    + [Decimal.text(row.parts.step, places: 3)] + parts.map { percent($0 / row.parts.step) }
                    + [Decimal.text(row.cropsPerSecond, places: 2), percent(row.efficiency)])
        }
        return table
    }

    private static func table(_ predictions: some Sequence<StepTimeModel.Prediction>) -> TextTable {
        var table = TextTable([
            "reduction", "ranks", "step s", "compute", "waiting", "exposed", "whole reduction s", "efficiency",
        ])
        for row in predictions {
            table.add(
                [row.algorithm.rawValue, "\(row.ranks)", Decimal.text(row.step, places: 3)]
                    + [row.compute, row.waiting, row.exposed].map { percent($0 / row.step) }
                    + [Decimal.text(row.reduction, places: 3), percent(row.efficiency)])
        }
        return table
    }

    /// The speed that as many runs reach that do not talk to each other: the machine's own limit.
    private static func limit(_ rows: [Row], apart: Int, rate: Double) -> String {
        let own = "\(apart) runs of one rank side by side: \(Decimal.text(rate, places: 2)) crops/s together"
        guard let alone = rows.first(where: { $0.ranks == 1 }) else { return own }
        var text = own + ", \(percent(rate / Double(apart) / alone.cropsPerSecond)) of one alone, each"
        if let together = rows.first(where: { $0.series == "weak" && $0.ranks == apart }) {
            text += "; \(apart) ranks of one run reach \(percent(together.cropsPerSecond / rate)) of that"
        }
        return text
    }

    private static func percent(_ share: Double) -> String { "\(Decimal.text(100 * share, places: 1)) %" }
}
