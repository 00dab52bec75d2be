import ArgumentParser
import Basics
import Compute
import Foundation
import Networks

struct BenchLayers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layers",
        abstract: "Where the time of a training step goes: every kind of layer, by direction, and all the rest.",
        discussion: """
            Times are of layers at work in whole steps. GFLOP/s are those that direct convolution would need. The peak \
            is what all threads reach together with multiply-adds on registers, the memory's speed what they reach \
            adding one large map to another; both are measured. A layer's share of the peak counts the products that \
            its algorithm does, and none of its transforms; its share of the memory's speed counts its maps and \
            weights once.
            """)

    @OptionGroup var options: BenchOptions

    private struct Row: Encodable {
        let layer, direction, algorithm: String
        let count: Int
        let milliseconds, percent: Double
        let gflops, peakPercent, memoryPercent: Double?
    }

    func run() throws {
        Startup.prepare()
        let log = SpanLog(limit: 1 << 20)
        let measured = StepMeasurement(options.subject(), steps: options.steps, spans: log)
        let engine = measured.network.engine
        let (peak, bandwidth) = (engine.measurePeak(), engine.measureBandwidth())
        let rows = rows(log.content, measured, peak: peak, bandwidth: bandwidth)
        print("layer                x  direction  algorithm    ms each  GFLOP/s  % of peak  % of memory  % of step")
        for row in rows { print(line(row)) }
        print(
            String(
                format: "%.0f ms a step (%@, %d threads, peak %.0f GFLOP/s, memory %.1f GB/s)",
                measured.mean(\.whole) * 1000, "\(engine.instructionSet)", engine.pool.threads, peak / 1e9,
                bandwidth / 1e9))
        if options.json { try Measurement.printJSON(rows) }
    }

    /// The rows of the table, which together are the step.
    private func rows(
        _ content: SpanLog.Content, _ measured: StepMeasurement, peak: Double, bandwidth: Double
    ) -> [Row] {
        let work = StepWork(options.network, size: options.size, batch: options.batch)
        let steps = Double(options.steps)
        let step = measured.mean(\.whole)
        var kinds = work.kinds
        var seconds: [StepWork.Kind: Double] = [:]
        for (name, time) in content.ownSeconds(steps: 1...options.steps).sorted(by: { $0.key < $1.key }) {
            let kind = work.kind(ofSpan: name)
            if !kinds.contains(kind) { kinds.append(kind) }
            seconds[kind, default: 0] += time / steps
        }
        var rows = kinds.map { kind in
            let own = seconds[kind] ?? 0
            let amount = work.amounts[kind] ?? StepWork.Amount()
            func share(_ done: Double, of most: Double) -> Double? {
                done > 0 && own > 0 ? 100 * done / own / most : nil
            }
            return Row(
                layer: kind.layer, direction: kind.direction.rawValue, algorithm: kind.algorithm,
                count: max(1, amount.layers), milliseconds: 1000 * own / Double(max(1, amount.layers)),
                percent: 100 * own / step, gflops: share(amount.flop, of: 1e11),
                peakPercent: share(amount.arithmetic, of: peak), memoryPercent: share(amount.bytes, of: bandwidth))
        }
        func add(_ layer: String, _ seconds: Double) {
            rows.append(
                Row(
                    layer: layer, direction: "", algorithm: "", count: 1, milliseconds: 1000 * seconds,
                    percent: 100 * seconds / step, gflops: nil, peakPercent: nil, memoryPercent: nil))
        }
        let (forward, backward, update) = (
            measured.mean(\.forward), measured.mean(\.backward), measured.mean(\.update)
        )
        add("loss", step - forward - backward - update)
        add("update", update)
        add("between layers", forward + backward - seconds.values.reduce(0, +))
        return rows
    }

    private func line(_ row: Row) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text.padding(toLength: width, withPad: " ", startingAt: 0)
        }
        func number(_ value: Double?, _ width: Int) -> String {
            let text = value.map { String(format: "%.0f", $0) } ?? ""
            return String(repeating: " ", count: max(0, width - text.count)) + text
        }
        return padded(row.layer, 18) + String(format: "%4d  ", row.count) + padded(row.direction, 11)
            + padded(row.algorithm, 11) + String(format: "%9.2f", row.milliseconds) + number(row.gflops, 9)
            + number(row.peakPercent, 11) + number(row.memoryPercent, 13) + String(format: "%11.1f", row.percent)
    }
}
