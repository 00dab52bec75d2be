import ArgumentParser
import Basics
import Compute
import Foundation
import Networks

struct BenchLayers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layers", abstract: "Every kind of 3x3x3 convolution, by direction, beside the whole step.")

    @OptionGroup var options: BenchOptions

    private struct Row: Encodable {
        let layer, direction, algorithm: String
        let count: Int
        let milliseconds, gflops, percent: Double
    }

    func run() throws {
        Startup.prepare()
        let measured = StepMeasurement(options.subject(), steps: options.steps)
        let engine = measured.network.engine
        let step = measured.median(\.whole)
        var rows: [(layer: ConvolutionShape, direction: ConvolutionShape.Direction, seconds: Double)] = []
        for layer in options.network.convolutionShapes {
            for direction in ConvolutionShape.Direction.allCases {
                guard
                    let seconds = layer.measure(
                        direction, size: options.size, batch: options.batch, repetitions: options.steps,
                        engine: engine)
                else { continue }
                rows.append((layer, direction, seconds.median ?? .nan))
            }
        }
        let total = rows.reduce(0) { $0 + $1.seconds * Double($1.layer.count) }
        let table = rows.map { row in
            Row(
                layer: row.layer.name, direction: row.direction.rawValue,
                algorithm: row.layer.algorithm(options.size, row.direction),
                count: row.layer.count, milliseconds: row.seconds * 1000,
                gflops: row.layer.flop(size: options.size, batch: options.batch) / row.seconds / 1e9,
                percent: 100 * row.seconds * Double(row.layer.count) / step)
        }
        print("layer            x  direction  algorithm      ms each   GFLOP/s  % of step")
        for row in table {
            let left = row.layer.padding(toLength: 15, withPad: " ", startingAt: 0)
            print(
                String(
                    format: "%@ %2d  %@ %@ %8.2f  %8.0f  %9.1f", left, row.count,
                    row.direction.padding(toLength: 10, withPad: " ", startingAt: 0),
                    row.algorithm.padding(toLength: 12, withPad: " ", startingAt: 0), row.milliseconds, row.gflops,
                    row.percent))
        }
        print(
            String(
                format: "convolutions %.0f ms of a step of %.0f ms; the rest is normalisation, pooling, 1x1x1 and "
                    + "transposed convolutions, loss, update (%@, %d threads)",
                total * 1000, step * 1000, "\(engine.instructionSet)", engine.pool.threads))
        if options.json { try Measurement.printJSON(table) }
    }
}
