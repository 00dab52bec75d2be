import Foundation

/// The built command, run as a user runs it.
struct LunaProcess {
    var status: Int32
    var output: String
    var diagnosis: String

    /// Beside the test bundle, where the build puts both.
    static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("luna")
    }

    /// Runs `luna` with arguments and waits for its end.
    init(_ arguments: String...) throws { try self.init(arguments) }

    init(_ arguments: [String]) throws { try self.init(Self.executable, arguments) }

    /// Runs `luna` where no file may grow beyond `blocks` of 512 (some shells: 1024) bytes: a disk that is full.
    init(fileLimit blocks: Int, _ arguments: String...) throws { try self.init(fileLimit: blocks, arguments) }

    init(fileLimit blocks: Int, _ arguments: [String]) throws {
        let script = "trap '' XFSZ; ulimit -f \(blocks); exec \"$0\" \"$@\""
        try self.init(URL(fileURLWithPath: "/bin/sh"), ["-c", script, Self.executable.path] + arguments)
    }

    private init(_ program: URL, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let (output, diagnosis) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = diagnosis
        try process.run()
        // The diagnosis is a few lines and fits the pipe's buffer.
        self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        self.diagnosis = String(decoding: diagnosis.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }

    /// Runs `luna` and kills it (SIGKILL) after some seconds.
    static func killed(after seconds: Double, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread.sleep(forTimeInterval: seconds)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
