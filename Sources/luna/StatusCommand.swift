import ArgumentParser
import Basics
import FileIO
import Foundation
import Runs

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how a training run is: its state, speed, time left, and where every rank is.",
        discussion: """
            Reads the heartbeats that the ranks write into the run's directory and the end of its log. Nothing of the \
            job has to answer: it works from any host that sees the directory, and after a crash.

            EXAMPLES
              luna status runs/fold0
              luna status runs/fold0 --json
              watch luna status runs/fold0
            """)

    @Argument(help: ArgumentHelp("The run's directory.", valueName: "run"))
    var path: String

    @Flag(help: "Show every rank, however many there are.")
    var all = false

    @OptionGroup var output: JSONOutputOption

    /// Ranks in the table unless all are wanted.
    private static let shown = 32

    func run() throws {
        let status = try RunStatus(RunDirectory(path))
        if output.json {
            let text = try JSON.encode(status, isIndented: true, escapesSlashes: false)
            print(String(decoding: text, as: UTF8.self))
            return
        }
        for line in summary(status) { print(line) }
        guard !status.ranks.isEmpty else { return }
        print("")
        for line in table(status) { print(line) }
    }

    // MARK: - Text

    private func summary(_ status: RunStatus) -> [String] {
        var lines = ["\(status.run): \(state(status))"]
        var progress = "step \(status.step)"
        if let steps = status.steps, steps > 0 {
            progress += " of \(steps) (\(100 * status.step / steps) %)"
        }
        if let epoch = status.epoch { progress += ", epoch \(epoch)" }
        if let loss = status.loss { progress += ", loss \(String(format: "%.4f", loss))" }
        lines.append("  \(progress)")
        if let seconds = status.secondsPerStep {
            var speed = "\(duration(seconds)) a step"
            if let rate = status.patchesPerSecond { speed += String(format: ", %.1f patches/s", rate) }
            if let left = status.secondsLeft { speed += ", \(durationText(left)) left" }
            lines.append("  \(speed)")
        }
        if let stall = status.stall { lines.append("  \(stall)") }
        if let slowest = status.slowest {
            lines.append(
                "  slowest: rank \(slowest.rank) on \(slowest.host), \(duration(slowest.seconds)) of work a step, "
                    + "median \(duration(slowest.medianSeconds))")
        }
        lines.append("  " + (status.checkpoint.map { "newest checkpoint: step \($0)" } ?? "no checkpoint yet"))
        return lines
    }

    private func state(_ status: RunStatus) -> String {
        let age = status.lastSign.map { max(0, Date().timeIntervalSince1970 - $0) } ?? 0
        switch status.state {
        case .running:
            let silent = status.ranks.count { $0.state == .silent } + status.missing.count
            return silent > 0
                ? "running, but \(silent) of \(status.ranks.count + status.missing.count) ranks are silent" : "running"
        case .finished: return "finished"
        case .stopped: return "stopped as asked; `luna train --resume` goes on"
        case .failed: return "failed: \(status.failure ?? "?")"
        case .silent:
            return "silent for \(durationText(age)): killed, stopped, or its hosts are down"
        case .unknown: return "no sign of life from any rank, only files"
        }
    }

    private func duration(_ seconds: Double) -> String {
        seconds < 10 ? String(format: "%.2f s", seconds) : durationText(seconds)
    }

    private func table(_ status: RunStatus) -> [String] {
        var ranks = status.ranks
        let isCut = !all && ranks.count > Self.shown
        if isCut {
            // The ranks that have been silent longest come first.
            ranks.sort {
                ($0.state == .silent ? 0 : 1, -$0.idleSeconds, $0.rank) < (
                    $1.state == .silent ? 0 : 1, -$1.idleSeconds, $1.rank
                )
            }
            ranks = Array(ranks.prefix(Self.shown))
        }
        var table = TextTable(
            ["RANK", "HOST", "PID", "STEP", "STATE", "PHASE", "FOR", "IDLE", "HEARD"],
            [.right, .left, .right, .right, .left, .left, .right, .right, .right])
        for rank in ranks {
            table.add([
                "\(rank.rank)", rank.host, "\(rank.pid)", "\(rank.step)", rank.state.rawValue,
                rank.phase.rawValue + (rank.isWaiting ? ", waiting" : ""), durationText(rank.phaseSeconds),
                durationText(rank.idleSeconds), "\(durationText(rank.age)) ago",
            ])
        }
        var lines = table.lines
        if isCut { lines.append("and \(status.ranks.count - ranks.count) more (--all)") }
        if !status.missing.isEmpty {
            let named = status.missing.prefix(Self.shown).map(String.init).joined(separator: ", ")
            let more = status.missing.count - Self.shown
            lines.append("without any sign of life: rank \(named)" + (more > 0 ? " and \(more) more" : ""))
        }
        return lines
    }
}
