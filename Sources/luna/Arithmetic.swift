import Compute
import MPI

/// The arithmetic, which must be the same on all ranks: the same bits need the same instructions, and no more.
enum Arithmetic {
    /// The best instruction set that all ranks have.
    ///
    /// - Throws: `MPIError`.
    static func agreedInstructionSet(_ communicator: any Communicator) throws -> InstructionSet {
        var worst = [-Double(InstructionSet.best.rawValue)]
        try communicator.maximum(&worst)
        return InstructionSet(rawValue: Int(-worst[0])) ?? .baseline
    }
}
