import Foundation
import Synchronization

/// The built command under a real `mpirun`.
struct MPIRun {
    let status: Int32
    let output: String
    let diagnosis: String
    let seconds: Double

    private static func process(
        ranks: Int, _ arguments: [String], adding variables: [String: String] = [:]
    ) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none", LunaProcess.executable.path]
            + arguments
        var environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
        environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        // Ranks share the cores here: they must give them up while they wait.
        environment["OMPI_MCA_mpi_yield_when_idle"] = "1"
        process.environment = environment
        return process
    }

    /// Runs `luna` on some ranks and waits for the end; after `limit` seconds it is killed.
    init(ranks: Int, limit: Double = 120, _ arguments: String...) throws {
        try self.init(ranks: ranks, limit: limit, arguments)
    }

    /// - Parameters:
    ///   - environment: Variables beside this process's own.
    ///   - meanwhile: What to do while the job runs.
    init(
        ranks: Int, limit: Double = 120, environment: [String: String] = [:], _ arguments: [String],
        meanwhile: () -> Void = {}
    ) throws {
        let process = Self.process(ranks: ranks, arguments, adding: environment)
        let (output, diagnosis) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = diagnosis
        let start = ContinuousClock.now
        try process.run()
        let watch = Self.killTree(process, after: limit)
        meanwhile()
        // Both pipes at once: a full one would stop the job.
        let errors = Mutex(Data())
        let reader = Thread {
            let data = diagnosis.fileHandleForReading.readDataToEndOfFile()
            errors.withLock { $0 = data }
        }
        reader.start()
        self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        while !reader.isFinished { Thread.sleep(forTimeInterval: 0.01) }
        watch.cancel()
        self.diagnosis = String(decoding: errors.withLock { $0 }, as: UTF8.self)
        status = process.terminationStatus
        seconds = (ContinuousClock.now - start) / .seconds(1)
    }

    /// Runs `luna` on some ranks until `condition` holds, then sends a signal to `mpirun`, and to its ranks as well where
    /// it is SIGKILL, unless they are to be left to themselves. Returns mpirun's status.
    static func interrupted(
        ranks: Int, by signal: Int32, when condition: () -> Bool, _ arguments: String...
    ) throws -> Int32 {
        try interrupted(ranks: ranks, by: signal, when: condition, arguments)
    }

    static func interrupted(
        ranks: Int, by signal: Int32, sparingRanks: Bool = false, environment: [String: String] = [:],
        when condition: () -> Bool, _ arguments: [String]
    ) throws -> Int32 {
        let process = process(ranks: ranks, arguments, adding: environment)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // A test's thread may block signals, and its children would inherit that.
        var (none, own) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &own)
        defer { pthread_sigmask(SIG_SETMASK, &own, nil) }
        try process.run()
        let end = ContinuousClock.now + .seconds(120)
        while !condition(), process.isRunning, ContinuousClock.now < end { Thread.sleep(forTimeInterval: 0.02) }
        let ranksOfJob = children(of: process.processIdentifier)
        kill(process.processIdentifier, signal)
        if signal == SIGKILL && !sparingRanks { for rank in ranksOfJob { kill(rank, SIGKILL) } }
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func killTree(_ process: Process, after seconds: Double) -> DispatchWorkItem {
        let item = DispatchWorkItem {
            for child in children(of: process.processIdentifier) { kill(child, SIGKILL) }
            kill(process.processIdentifier, SIGKILL)
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: item)
        return item
    }

    private static func children(of parent: Int32) -> [Int32] {
        let list = (try? String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)) ?? ""
        return list.split(separator: " ").compactMap { Int32($0) }
    }
}
