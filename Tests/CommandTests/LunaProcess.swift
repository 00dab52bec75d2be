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

    init(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = Self.executable
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
