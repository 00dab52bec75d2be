import FileIO
import Foundation
import MPI

/// Runs a command that may have many ranks: MPI around it, and an end for all where one rank fails.
enum Job {
    /// Runs a rank's part of a job, and ends the process.
    ///
    /// - Parameter body: Does each rank's work; returns the exit status.
    static func run(_ body: (any Communicator) throws -> Int32) -> Never {
        let environment = ProcessInfo.processInfo.environment
        if !MPICommunicator.isLaunched, let tasks = environment["SLURM_STEP_NUM_TASKS"].flatMap(Int.init), tasks > 1 {
            Luna.exit(
                withDiagnosis: UsageError(
                    "srun started \(tasks) processes that do not know of each other: use `srun --mpi=pmix` or mpirun"))
        }
        guard MPICommunicator.isLaunched else {
            do { exit(try body(SingleCommunicator())) } catch { Luna.exit(withDiagnosis: error) }
        }
        do {
            let communicator = try MPICommunicator()
            do {
                let status = try body(communicator)
                try communicator.finalize()
                exit(status)
            } catch {
                end(communicator, error)
            }
        } catch { Luna.exit(withDiagnosis: error) }
    }

    /// Says which rank failed where and why, and ends all of them.
    private static func end(_ communicator: MPICommunicator, _ error: any Error) -> Never {
        let status = ExitStatus(diagnosing: error) ?? .internalFault
        let isAlone = communicator.size == 1
        let place = isAlone ? "" : "rank \(communicator.rank) on \(communicator.hostName): "
        FileHandle.standardError.write(Data("luna: \(place)\(error)\n".utf8))
        if isAlone {
            try? communicator.finalize()
        } else {
            communicator.abort(status.rawValue)
        }
        exit(status.rawValue)
    }
}
