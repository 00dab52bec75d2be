import COpenMPI

/// A failure that an MPI function reported. The state of MPI is undefined afterwards: the job ends.
public struct MPIError: Error, Hashable, CustomStringConvertible {
    /// MPI's error code.
    public let code: Int32
    /// The function that returned the code, such as `MPI_Bcast`.
    public let function: String
    /// MPI's words for the code.
    public let text: String

    public var description: String { "\(function): \(text)" }

    /// Makes an error with MPI's words for its code, as far as MPI is there to give them.
    public init(code: Int32, function: String) {
        self.code = code
        self.function = function
        // Outside MPI's lifetime it has no words, and aborts who asks for them.
        var (isInitialized, isFinalized): (Int32, Int32) = (0, 0)
        MPI_Initialized(&isInitialized)
        MPI_Finalized(&isFinalized)
        guard isInitialized != 0, isFinalized == 0 else {
            text = "error \(code)"
            return
        }
        var length: Int32 = 0
        let bytes = [CChar](unsafeUninitializedCapacity: Int(MPI_MAX_ERROR_STRING)) { buffer, count in
            buffer.initialize(repeating: 0)
            MPI_Error_string(code, buffer.baseAddress, &length)
            count = Int(MPI_MAX_ERROR_STRING)
        }
        text = String(decoding: bytes.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Throws where `code` is not MPI_SUCCESS.
    static func check(_ code: Int32, _ function: String) throws(MPIError) {
        if code != MPI_SUCCESS { throw MPIError(code: code, function: function) }
    }
}
