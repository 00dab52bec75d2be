import Foundation

/// The Python that `LUNA_PYTHON` names, to compare with other programs; tests that need one are left out without it.
public enum ReferencePython {
    private static var executable: String? { ProcessInfo.processInfo.environment["LUNA_PYTHON"] }

    private static var scripts: URL {
        // Tests/TestSupport/ReferencePython.swift
        (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
            .appendingPathComponent("scripts")
    }

    /// Whether there is one with these modules.
    public static func has(_ modules: String...) -> Bool {
        let code =
            "import importlib.util as u, sys; sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))"
        guard executable != nil, let status = try? start(["-c", code] + modules).status else { return false }
        return status == 0
    }

    /// Runs a script of `scripts/`.
    ///
    /// - Returns: What it printed.
    /// - Throws: `Failure` where it did not end well.
    public static func run(_ script: String, _ arguments: String...) throws -> String {
        let (status, output) = try start([scripts.appendingPathComponent(script).path] + arguments)
        guard status == 0 else { throw Failure(script: script, status: status) }
        return output
    }

    public struct Failure: Error {
        let script: String
        let status: Int32
    }

    /// Its diagnosis goes where the test's own goes.
    private static func start(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable ?? "")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
