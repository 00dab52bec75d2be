// The reaction of `luna train` to a stall. It comes from a thread that may not call MPI, while the others hang.

import Foundation
import Logging
import MPI

/// Tells of a stall, and ends the job.
struct StallReport: Sendable {
    let logger: Logger
    private let place: String

    init(_ communicator: any Communicator, _ logger: Logger) {
        self.logger = logger
        place = communicator.size > 1 ? "rank \(communicator.rank) on \(communicator.hostName): " : ""
    }

    func warn(_ text: String) {
        clearLine()
        logger.warning("\(text)")
    }

    /// Ends the process at once; the launcher ends the other ranks.
    func end(_ text: String) {
        clearLine()
        FileHandle.standardError.write(
            Data(
                "luna: \(place)given up (stall_limit_seconds): \(text); `--resume` goes on from the last checkpoint\n"
                    .utf8))
        _exit(ExitStatus.internalFault.rawValue)
    }

    /// Clears the terminal's line: the cursor may stand behind a progress line.
    private func clearLine() {
        if isatty(STDERR_FILENO) == 1 { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }
}
