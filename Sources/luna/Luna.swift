import ArgumentParser
import Compute
import FileIO
import Foundation

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
            var command = try parseAsRoot()
            try command.run()
        } catch {
            exit(withDiagnosis: error)
        }
    }

    /// Ends the process with the exit code of the design: 64 wrong usage, 65 bad input, 74 I/O, 70 our own fault.
    static func exit(withDiagnosis error: any Error) -> Never {
        // ArgumentParser knows its own errors, which include the wish for help; any other is a fault of ours.
        let isOurs = exitCode(for: error) == .failure
        guard let status = ExitStatus(diagnosing: error) ?? (isOurs ? .internalFault : nil) else {
            exit(withError: error)
        }
        exit(status, "\(error)")
    }

    private static func exit(_ status: ExitStatus, _ text: String) -> Never {
        FileHandle.standardError.write(Data("luna: \(text)\n".utf8))
        Foundation.exit(status.rawValue)
    }
}

/// What the process returns to its caller (`sysexits.h`).
enum ExitStatus: Int32 {
    case usage = 64
    case badInput = 65
    case internalFault = 70
    case inputOutput = 74
    case stoppedResumable = 75

    /// The status for an error of ours, or nil where ArgumentParser knows better.
    init?(diagnosing error: any Error) {
        switch error {
        case is InputError: self = .badInput
        case is FileError: self = .inputOutput
        case is UsageError: self = .usage
        default: return nil
        }
    }
}
