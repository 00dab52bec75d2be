import Foundation

/// The Python that `LUNA_PYTHON` names, to compare with other programs; tests that need one are left out without it.
public enum ReferencePython {
    private static let executable = ProcessInfo.processInfo.environment["LUNA_PYTHON"]

    /// Whether there is such a Python, and it has these modules.
    public static func has(_ modules: String...) -> Bool {
        let code =
            "import importlib.util as u, sys; sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))"
        guard let executable else { return false }
        return (try? ProgramRun(executable, ["-c", code] + modules).status) == 0
    }

    /// Runs a script of `scripts/`.
    ///
    /// - Returns: What it printed.
    /// - Throws: `Failure` where it did not end well.
    public static func run(_ script: String, _ arguments: String...) throws -> String {
        let run = try ProgramRun(
            executable ?? "python3", ["\(Repository.root)/scripts/\(script)"] + arguments, limit: 600)
        guard run.status == 0 else { throw Failure(script: script, run: run) }
        return run.output
    }

    /// A script that ended with a status other than 0, and what it said.
    public struct Failure: Error {
        let script: String
        let run: ProgramRun
    }
}
