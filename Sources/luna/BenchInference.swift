import ArgumentParser
import Basics
import Compute
import Foundation
import Learning
import Networks

struct BenchInference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference", abstract: "One tile of whole-scan detection: a forward pass in evaluation mode.",
        discussion: "The recipe's tiles have sides of 208 voxels: luna bench inference --size 208")

    @OptionGroup var options: BenchOptions

    private struct Result: Encodable {
        let tileS: Double
        let peakRssBytes, activationBytes: Int
        let gflops: Double
        let isa: String
        let size, batch, threads, steps: Int
    }

    func run() throws {
        Startup.prepare()
        let subject = options.subject()
        let (network, state, batch) = (subject.network, subject.state, subject.batch)
        var times: [Double] = []
        for step in 0...options.steps {
            let seconds = Measurement.seconds {
                _ = network.forward(state, input: batch.input, coord: batch.coord, mode: .evaluation)
            }
            if step > 0 { times.append(seconds) }
        }
        let median = times.median ?? .nan
        let result = Result(
            tileS: median, peakRssBytes: Measurement.peakResidentBytes,
            activationBytes: network.engine.plannedBytes,
            gflops: options.flop(training: false) / median / 1e9,
            isa: "\(network.engine.instructionSet)", size: options.size, batch: options.batch,
            threads: network.engine.pool.threads, steps: options.steps)
        print(
            String(
                format: "%d x %d^3, %@, %d threads: tile %.3f s, %.0f GFLOP/s direct-equivalent, "
                    + "%d MiB of which activations %d",
                options.batch, options.size, result.isa, result.threads, median, result.gflops,
                result.peakRssBytes >> 20, result.activationBytes >> 20))
        if options.json { try Measurement.printJSON(result) }
    }
}
