import COpenMPI

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The ranks that `mpirun` or `srun` started, or some of them.
///
/// It is made once per process, and split as often as wanted. The thread that makes it is the only one that may use it;
/// another one may use its messenger in between, where MPI lets threads in by turns (MPI_THREAD_SERIALIZED).
public final class MPICommunicator: Communicator {
    public let rank: Int
    public let size: Int
    public let hostName = systemHostName()
    private let handle: MPI_Comm
    private let threadLevel: Int32
    private var ownMessenger: MPIMessenger?

    /// Whether a launcher started this process, so that there are others to talk to.
    public static var isLaunched: Bool {
        let variables: [String] = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"]
        return variables.contains { getenv($0) != nil }
    }

    /// Initialises MPI, and makes the communicator of all ranks.
    ///
    /// - Throws: `MPIError` where MPI cannot start.
    public convenience init() throws(MPIError) {
        var provided: Int32 = 0
        try MPIError.check(MPI_Init_thread(nil, nil, Int32(MPI_THREAD_SERIALIZED), &provided), "MPI_Init_thread")
        try self.init(mpiCommWorld, threadLevel: provided)
    }

    /// Wraps one of MPI's communicators.
    ///
    /// - Parameter handle: Stays MPI's until the process ends.
    private init(_ handle: MPI_Comm, threadLevel: Int32) throws(MPIError) {
        self.handle = handle
        self.threadLevel = threadLevel
        try MPIError.check(MPI_Comm_set_errhandler(handle, mpiErrorsReturn), "MPI_Comm_set_errhandler")
        var rank: Int32 = 0
        var size: Int32 = 0
        try MPIError.check(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
        try MPIError.check(MPI_Comm_size(handle, &size), "MPI_Comm_size")
        self.rank = Int(rank)
        self.size = Int(size)
    }

    /// Ends MPI; the communicator is of no use afterwards.
    ///
    /// - Throws: `MPIError` where MPI reports a failure.
    public func finalize() throws(MPIError) { try MPIError.check(MPI_Finalize(), "MPI_Finalize") }

    public func barrier() throws(MPIError) { try MPIError.check(MPI_Barrier(handle), "MPI_Barrier") }

    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {
        // Counts are 32-bit in MPI-3: larger messages go in pieces.
        let piece = 1 << 30
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let count = min(piece, bytes.count - start)
            try MPIError.check(
                MPI_Bcast(bytes.baseAddress.map { $0 + start }, Int32(count), mpiByte, Int32(root), handle),
                "MPI_Bcast")
        }
    }

    public func sum(_ values: inout [Int]) throws(MPIError) {
        let code = values.withUnsafeMutableBufferPointer {
            MPI_Allreduce(mpiInPlace, $0.baseAddress, Int32($0.count), mpiInt64, mpiSum, handle)
        }
        try MPIError.check(code, "MPI_Allreduce")
    }

    public func maximum(_ values: inout [Double]) throws(MPIError) {
        let code = values.withUnsafeMutableBufferPointer {
            MPI_Allreduce(mpiInPlace, $0.baseAddress, Int32($0.count), mpiDouble, mpiMax, handle)
        }
        try MPIError.check(code, "MPI_Allreduce")
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
        try MPIError.check(
            MPI_Allreduce(mpiInPlace, values.baseAddress, Int32(values.count), mpiFloat, mpiSum, handle),
            "MPI_Allreduce")
    }

    public func gather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
        var own = Int32(bytes.count)
        var counts = [Int32](repeating: 0, count: size)
        try MPIError.check(MPI_Allgather(&own, 1, mpiInt, &counts, 1, mpiInt, handle), "MPI_Allgather")
        var offsets: [Int32] = []
        var total: Int32 = 0
        for count in counts {
            offsets.append(total)
            total += count
        }
        var all = [UInt8](repeating: 0, count: Int(total))
        try MPIError.check(
            MPI_Allgatherv(bytes, own, mpiByte, &all, counts, offsets, mpiByte, handle), "MPI_Allgatherv")
        return zip(offsets, counts).map { Array(all[Int($0)..<Int($0 + $1)]) }
    }

    public func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) throws(MPIError) {
        try MPIError.check(
            MPI_Allgatherv(
                mpiInPlace, 0, mpiFloat, values.baseAddress, parts.map { Int32($0.count) },
                parts.map { Int32($0.lowerBound) }, mpiFloat, handle), "MPI_Allgatherv")
    }

    public func messenger() throws(MPIError) -> (any Messenger)? {
        if let ownMessenger { return ownMessenger }
        let messenger = try MPIMessenger(handle, servesOtherThreads: threadLevel >= Int32(MPI_THREAD_SERIALIZED))
        ownMessenger = messenger
        return messenger
    }

    public func startSum(_ values: [Int]) throws(MPIError) -> any PendingSum { try MPISum(values, handle) }

    public func split(_ color: Int) throws(MPIError) -> any Communicator {
        var part: MPI_Comm?
        try MPIError.check(MPI_Comm_split(handle, Int32(color), Int32(rank), &part), "MPI_Comm_split")
        guard let part else { throw MPIError(code: Int32(MPI_ERR_COMM), function: "MPI_Comm_split") }
        return try MPICommunicator(part, threadLevel: threadLevel)
    }

    public func abort(_ status: Int32) { MPI_Abort(mpiCommWorld, status) }
}

/// A sum on its way, by a collective that does not block.
private final class MPISum: PendingSum {
    /// The memory that MPI sums in, and that is MPI's until the sum is there.
    private let values: UnsafeMutableBufferPointer<Int>
    private var request: MPI_Request?

    init(_ values: [Int], _ communicator: MPI_Comm) throws(MPIError) {
        self.values = .allocate(capacity: values.count)
        _ = self.values.initialize(from: values)
        try MPIError.check(
            MPI_Iallreduce(
                mpiInPlace, self.values.baseAddress, Int32(values.count), mpiInt64, mpiSum, communicator, &request),
            "MPI_Iallreduce")
    }

    func advance() throws(MPIError) {
        var isDone: Int32 = 0
        try MPIError.check(MPI_Test(&request, &isDone, mpiStatusIgnore), "MPI_Test")
    }

    func wait() throws(MPIError) -> [Int] {
        try MPIError.check(MPI_Waitall(1, &request, mpiStatusesIgnore), "MPI_Waitall")
        defer { values.deallocate() }
        return Array(values)
    }
}

func systemHostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
