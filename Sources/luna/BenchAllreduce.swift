import ArgumentParser
import Exchange
import FileIO
import Foundation
import MPI
import Networks
import Training

struct BenchAllreduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allreduce", abstract: "The gradient's reduction over ranks, by mode.")

    @Option(help: ArgumentHelp("Repetitions.", valueName: "n"))
    var steps = 10

    @OptionGroup var job: ReplicasOption

    @OptionGroup var output: JSONLineOption

    private struct Row: Encodable {
        let mode: String
        let bytes: Int
        let seconds, bandwidth: Double
        /// A digest of the sum's bits.
        let digest: String
    }

    func run() throws {
        Job.run { communicator in
            var rows: [Row] = []
            for mode in ReductionMode.allCases {
                let measured = try ReductionMeasurement(
                    .standard,
                    mode: mode, replicas: job.replicas ?? communicator.size, steps: steps, communicator: communicator)
                rows.append(
                    Row(
                        mode: mode.rawValue, bytes: measured.bytes, seconds: measured.seconds,
                        bandwidth: Double(measured.bytes) / measured.seconds, digest: measured.digest.text))
            }
            guard communicator.rank == 0 else { return 0 }
            for row in rows {
                print(
                    String(
                        format: "%@: %d ranks, %.1f MB in %.2f ms, %.2f GB/s",
                        row.mode.padding(toLength: 9, withPad: " ", startingAt: 0), communicator.size,
                        Double(row.bytes) / 1e6, row.seconds * 1000, row.bandwidth / 1e9))
            }
            if output.json { try Measurement.printJSON(rows) }
            return 0
        }
    }
}
