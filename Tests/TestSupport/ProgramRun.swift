import Foundation
import Synchronization

/// A program that was run to its end: how it ended, and all that it said.
public struct ProgramRun: Sendable {
    /// The exit status, or the number of the signal that ended the program.
    public let status: Int32
    /// What the program wrote to its standard output.
    public let output: String
    /// What the program wrote to its standard error.
    public let diagnosis: String

    /// Runs a program and waits for its end.
    ///
    /// Both of its pipes are drained while it runs, and it starts with no signal blocked: a test's thread may block
    /// some, and children inherit that. Its environment is this process's with `variables`, some for Open MPI
    /// (``openMPIVariables``) and the directories of system programs beside it.
    ///
    /// - Parameters:
    ///   - program: A path, or a name to be looked for in `PATH`.
    ///   - variables: What is set beside or instead of what this process has.
    ///   - directory: Where the program runs; by default where this process does.
    ///   - limit: The seconds after which the program and all that it started are killed.
    ///   - meanwhile: What to do while the program runs.
    /// - Throws: ``Overdue``; what `meanwhile` throws, after the program and all that it started were killed.
    public init(
        _ program: String, _ arguments: [String] = [], environment variables: [String: String] = [:],
        directory: String? = nil, limit: Double = 400, meanwhile: (RunningProgram) throws -> Void = { _ in }
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = Self.environment.merging(variables) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        let (output, diagnosis) = (PipeReader(), PipeReader())
        process.standardOutput = output.pipe
        process.standardError = diagnosis.pipe
        try Self.start(process)
        output.start()
        diagnosis.start()

        let running = RunningProgram(process)
        let end = DispatchTime.now() + limit
        let isOverdue = Mutex(false)
        let watch = DispatchWorkItem {
            isOverdue.withLock { $0 = true }
            running.killAll()
        }
        DispatchQueue.global().asyncAfter(deadline: end, execute: watch)
        let result = Result { try meanwhile(running) }
        if case .failure = result { running.killAll() }
        process.waitUntilExit()
        watch.cancel()
        // A process that the program has left behind may hold a pipe open.
        let texts = [output, diagnosis].map { $0.text(until: max(end, .now() + 5)) }
        try result.get()
        guard !isOverdue.withLock({ $0 }), let output = texts[0], let diagnosis = texts[1] else {
            throw Overdue(command: [program] + arguments, limit: limit, said: texts.map { $0 ?? "" }.joined())
        }
        (self.output, self.diagnosis) = (output, diagnosis)
        status = process.terminationStatus
    }

    /// A program that did not end in the time it was given.
    public struct Overdue: Error {
        let command: [String]
        let limit: Double
        let said: String
    }

    /// The variables that let Open MPI run tests: as root, and with ranks that share cores, which they must give up
    /// while they wait.
    public static let openMPIVariables = [
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
    ]

    /// What every program finds set.
    private static let environment: [String: String] = {
        var variables = ProcessInfo.processInfo.environment.merging(openMPIVariables) { $1 }
        variables["PATH", default: "/usr/bin:/bin"] += ":/usr/sbin:/sbin"
        return variables
    }()

    /// The arguments of `mpirun` that start a program on some ranks, be there as many cores or not.
    public static func mpirunArguments(ranks: Int, _ program: [String]) -> [String] {
        ["-n", "\(ranks)", "--oversubscribe", "--bind-to", "none"] + program
    }

    /// Whether there is a program of this name.
    public static func has(_ program: String) -> Bool {
        environment["PATH", default: ""].split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }

    private static func start(_ process: Process) throws {
        var (none, own) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &own)
        defer { pthread_sigmask(SIG_SETMASK, &own, nil) }
        try process.run()
    }
}

/// A program while it runs.
public struct RunningProgram: @unchecked Sendable {
    // `processIdentifier` and `isRunning` may be asked for by any thread.
    private let process: Process

    init(_ process: Process) { self.process = process }

    /// The process's identifier.
    public var identifier: Int32 { process.processIdentifier }

    /// Waits until a condition holds, but no longer than the program runs.
    ///
    /// - Returns: Whether it holds.
    @discardableResult public func wait(until condition: () -> Bool) -> Bool {
        while !condition() {
            guard process.isRunning else { return condition() }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return true
    }

    /// Sends a signal to the program, and to all that it started where that is asked for.
    public func send(_ signal: Int32, toDescendants: Bool = false) {
        guard process.isRunning else { return }
        let others = toDescendants ? Self.descendants(of: identifier) : []
        for process in [identifier] + others { kill(process, signal) }
    }

    func killAll() { send(SIGKILL, toDescendants: true) }

    private static func descendants(of parent: Int32) -> [Int32] {
        let list = (try? String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)) ?? ""
        return list.split(separator: " ").compactMap { Int32($0) }.flatMap { [$0] + descendants(of: $0) }
    }
}

/// A pipe that a thread empties until all writers have closed it.
private final class PipeReader: Sendable {
    let pipe = Pipe()
    private let data = Mutex(Data())
    private let done = DispatchSemaphore(value: 0)

    func start() {
        Thread { [self] in
            let read = pipe.fileHandleForReading.readDataToEndOfFile()
            data.withLock { $0 = read }
            done.signal()
        }.start()
    }

    /// All that was written, or nil where the pipe is still open at that time.
    func text(until end: DispatchTime) -> String? {
        guard done.wait(timeout: end) == .success else { return nil }
        return String(decoding: data.withLock { $0 }, as: UTF8.self)
    }
}
