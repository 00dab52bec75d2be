import Foundation
import Synchronization

/// A script of the repository, run as a user runs it, with the built command as `LUNA`.
struct LaunchScript {
    let status: Int32
    let output: String
    let diagnosis: String

    /// The repository's directory.
    static let root: String =
        // Tests/CommandTests/LaunchScript.swift
        (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }.path

    /// Whether there is a program of this name.
    static func has(_ program: String) -> Bool {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        return path.split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }

    /// Runs a program and waits for its end. A name with a slash is a path from the repository's directory.
    ///
    /// - Parameters:
    ///   - environment: What is set beside the test's own.
    ///   - signal: Sent to it once `condition` holds; in that case at most 120 s are waited for it.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], signal: Int32? = nil,
        when condition: () -> Bool = { true }
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.currentDirectoryURL = URL(fileURLWithPath: Self.root)
        process.arguments = [program] + arguments
        var variables = ProcessInfo.processInfo.environment
        variables["PATH", default: "/usr/bin:/bin"] += ":/usr/sbin:/sbin"
        variables["LUNA"] = LunaProcess.executable.path
        variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
        variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        // Ranks share the cores here: they must give them up while they wait.
        variables["OMPI_MCA_mpi_yield_when_idle"] = "1"
        process.environment = variables.merging(environment) { _, new in new }
        let (output, diagnosis) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = diagnosis
        // A test's thread may block signals, and its children would inherit that.
        var (none, own) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &own)
        defer { pthread_sigmask(SIG_SETMASK, &own, nil) }
        try process.run()
        // Both pipes at once: a full one would stop the script.
        let texts = Mutex(["", ""])
        let readers = [output, diagnosis].enumerated().map { index, pipe in
            let reader = Thread {
                let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                texts.withLock { $0[index] = text }
            }
            reader.start()
            return reader
        }
        if let signal {
            let end = ContinuousClock.now + .seconds(120)
            while !condition(), process.isRunning, ContinuousClock.now < end { Thread.sleep(forTimeInterval: 0.02) }
            kill(process.processIdentifier, signal)
        }
        process.waitUntilExit()
        while !readers.allSatisfy(\.isFinished) { Thread.sleep(forTimeInterval: 0.01) }
        let all = texts.withLock { $0 }
        (self.output, self.diagnosis) = (all[0], all[1])
        status = process.terminationStatus
    }

    /// The digest of a run's newest weights, as `luna weights show` prints it.
    static func digest(_ run: String) throws -> String? {
        let words = try LunaProcess("weights", "show", run).output.split { " ,\n".contains($0) }
        return words.firstIndex(of: "digest").map { String(words[$0 + 1]) }
    }
}
