import Compute
import FileIO
import MPI

/// What computes, which must be the same on all ranks: the same bits need the same instructions.
enum Arithmetic {
    /// The best instruction set that all ranks have.
    ///
    /// - Throws: `MPIError`.
    static func agreedInstructionSet(_ communicator: any Communicator) throws -> InstructionSet {
        var worst = [-Double(InstructionSet.best.rawValue)]
        try communicator.maximum(&worst)
        return InstructionSet(rawValue: Int(-worst[0])) ?? .baseline
    }

    /// What computes on every rank.
    ///
    /// - Throws: `UsageError` where OpenBLAS has chosen other kernels on another host: their bits differ; `MPIError`.
    static func agreed(_ communicator: any Communicator, _ engine: Engine) throws -> String {
        let own = "\(engine.instructionSet), OpenBLAS \(OpenBLAS.coreName)"
        let all = try communicator.gather(text: own)
        if let other = all.indices.first(where: { all[$0] != all[0] }) {
            throw UsageError(
                "rank 0 computes with \(all[0]), rank \(other) with \(all[other]): "
                    + "set OPENBLAS_CORETYPE to the same for all (mpirun -x OPENBLAS_CORETYPE=HASWELL …)")
        }
        return own
    }
}
