import ArgumentParser
import Compute
import FileIO
import Foundation
import Inference
import Training

/// The command: one file per subcommand, argument parsing and printing only.
@main
struct Luna: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "luna",
        abstract:
            "Distributed training of a 3-D lung nodule detector on CPU clusters: scans in, detector and FROC out.",
        version: "0.1.0",
        subcommands: [
            PhantomCommand.self, ConvertCommand.self, InspectCommand.self, ViewCommand.self, TrainCommand.self,
            StatusCommand.self, DetectCommand.self, EvaluateCommand.self, WeightsCommand.self, ReplayCommand.self,
            BenchCommand.self, DoctorCommand.self,
        ])

    static func main() {
        Engine.onOutOfMemory = { exit(.internalFault, $0) }
        do {
            try requireValues(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot()
            try command.run()
        } catch {
            exit(withDiagnosis: error)
        }
    }

    /// Prints an error's one line and ends the process with the status for it (`ExitStatus`).
    static func exit(withDiagnosis error: any Error) -> Never {
        // ArgumentParser knows its own errors, which include the wish for help; any other is a fault of ours.
        let isOurs = exitCode(for: error) == .failure
        guard let status = ExitStatus(diagnosing: error) ?? (isOurs ? .internalFault : nil) else {
            let code = exitCode(for: error)
            let text = HelpText.text(for: error)
            let output = code == .success ? FileHandle.standardOutput : FileHandle.standardError
            if !text.isEmpty { output.write(Data("\(text)\n".utf8)) }
            Foundation.exit(code.rawValue)
        }
        exit(status, "\(error)")
    }

    /// Refuses arguments that are empty, as an unset variable of the shell's leaves them: none may be, and a path that
    /// is would mean files at the root.
    ///
    /// - Throws: `UsageError` naming the option.
    static func requireValues(_ arguments: [String]) throws {
        for (index, argument) in arguments.enumerated() {
            let isOption = argument.hasPrefix("--") && argument.hasSuffix("=")
            guard argument.isEmpty || isOption && argument.firstIndex(of: "=") == argument.indices.last else {
                continue
            }
            let option = isOption ? String(argument.dropLast()) : index > 0 ? arguments[index - 1] : ""
            throw UsageError(
                option.hasPrefix("-") ? "the value of \(option) is empty" : "argument \(index + 1) is empty")
        }
    }

    private static func exit(_ status: ExitStatus, _ text: String) -> Never {
        FileHandle.standardError.write(Data("luna: \(text)\n".utf8))
        Foundation.exit(status.rawValue)
    }
}

/// The status that the process returns to its caller (`sysexits.h`).
enum ExitStatus: Int32 {
    /// All was done.
    case success = 0
    /// Wrong usage: arguments that cannot be, or not together.
    case usage = 64
    /// An input that is damaged, missing, of a later version, or not what was expected.
    case badInput = 65
    /// A fault of luna's own, ranks that disagree, or a training that is given up.
    case internalFault = 70
    /// A failure of the system at reading or writing.
    case inputOutput = 74
    /// A stop on request, with a checkpoint to resume from.
    case stoppedResumable = 75

    /// The status for an error of ours, or nil for an error that is not ours to judge.
    init?(diagnosing error: any Error) {
        switch error {
        case is InputError, is VersionError, is ScoresNotFinite: self = .badInput
        case is FileError: self = .inputOutput
        case is UsageError: self = .usage
        case is DivergenceError: self = .internalFault
        default: return nil
        }
    }
}
