// Options about the machine and the output that several commands share: each has one wording and one range.

import ArgumentParser

/// `--threads`: the threads that a process computes with.
struct ThreadsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Threads of each rank, 1 to 4096; by default the cores that it may use.", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads { try Self.check(threads) }
    }

    /// Refuses a number of threads that no command takes.
    static func check(_ threads: Int) throws {
        guard 1...4096 ~= threads else { throw ValidationError("--threads is 1 to 4096, not \(threads)") }
    }
}

/// `--json` of the commands that measure: the text first, for people, and then what a program reads.
struct JSONLineOption: ParsableArguments {
    @Flag(help: "Print the results once more as JSON, on the last line.")
    var json = false
}

/// `--json` of the commands that show: JSON in place of the text.
struct JSONOutputOption: ParsableArguments {
    @Flag(help: "Print one JSON object in place of the text.")
    var json = false
}

/// `--replicas` of measurements that need no experiment.
struct ReplicasOption: ParsableArguments {
    @Option(help: ArgumentHelp("Replicas of the whole job; by default one for each rank.", valueName: "n"))
    var replicas: Int?

    func validate() throws {
        if let replicas, !(1...65_536 ~= replicas) {
            throw ValidationError("--replicas is 1 to 65536, not \(replicas)")
        }
    }
}
