import Foundation
import TestSupport

/// The built command, which lies beside the test bundle.
let lunaPath = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("luna").path

/// Runs `luna` alone, as a user does.
func luna(_ arguments: String...) throws -> ProgramRun { try luna(arguments) }

/// Runs `luna` alone.
///
/// - Parameters:
///   - blocks: Where it is not nil, no file may grow beyond so many blocks of 512 (some shells: 1024) bytes: a full
///     disk.
///   - meanwhile: What to do while it runs.
func luna(
    _ arguments: [String], fileLimit blocks: Int? = nil, meanwhile: (RunningProgram) throws -> Void = { _ in }
) throws -> ProgramRun {
    guard let blocks else { return try ProgramRun(lunaPath, arguments, meanwhile: meanwhile) }
    let script = "trap '' XFSZ; ulimit -f \(blocks); exec \"$0\" \"$@\""
    return try ProgramRun("sh", ["-c", script, lunaPath] + arguments, meanwhile: meanwhile)
}

/// Runs `luna` on some ranks of a real `mpirun`, with what it is to do to itself (`LUNA_FAULT`) where that is given.
func mpirun(
    ranks: Int, limit: Double = 120, fault: String? = nil, _ arguments: [String],
    meanwhile: (RunningProgram) throws -> Void = { _ in }
) throws -> ProgramRun {
    try ProgramRun(
        "mpirun", ProgramRun.mpirunArguments(ranks: ranks, [lunaPath] + arguments),
        environment: fault.map { ["LUNA_FAULT": $0] } ?? [:], limit: limit, meanwhile: meanwhile)
}

/// Runs `luna` on some ranks of a real `mpirun`.
func mpirun(ranks: Int, limit: Double = 120, _ arguments: String...) throws -> ProgramRun {
    try mpirun(ranks: ranks, limit: limit, arguments)
}

/// Runs a script of the repository, as a user runs it from its directory, or another program with the same environment:
/// the built command is `LUNA`.
func script(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], limit: Double = 200,
    meanwhile: (RunningProgram) throws -> Void = { _ in }
) throws -> ProgramRun {
    try ProgramRun(
        program, arguments, environment: ["LUNA": lunaPath].merging(environment) { $1 }, directory: Repository.root,
        limit: limit, meanwhile: meanwhile)
}
