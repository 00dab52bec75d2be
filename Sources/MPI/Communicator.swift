/// A group of ranks, and what they can do together.
///
/// Every call but `abort` is collective: all ranks make it, in the same order, from the thread that made the
/// communicator, while no other thread uses its messenger. A call throws `MPIError` where MPI reports a failure, after
/// which MPI is of no use.
public protocol Communicator: AnyObject {
    /// This process's number in the group: 0 ..< `size`.
    var rank: Int { get }
    /// The number of ranks in the group.
    var size: Int { get }
    /// The name of the host on which this rank runs.
    var hostName: String { get }

    /// Waits until all ranks have called it.
    func barrier() throws(MPIError)
    /// Copies rank `root`'s bytes to every rank.
    ///
    /// - Parameters:
    ///   - bytes: Read in rank `root`, overwritten in the others; everywhere of the same length.
    ///   - root: The rank that gives.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError)
    /// Replaces each element by its sum over the ranks; all give as many.
    func sum(_ values: inout [Int]) throws(MPIError)
    /// Replaces each element by its maximum over the ranks; all give as many.
    func maximum(_ values: inout [Double]) throws(MPIError)
    /// Replaces each element by its sum over the ranks, in the order that MPI chooses: the rounding may depend on the
    /// number of ranks.
    func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError)
    /// Collects every rank's bytes, by rank; ranks may give different numbers of them.
    func gather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]]
    /// Copies each rank's part of `values` to all other ranks.
    ///
    /// - Parameters:
    ///   - values: As long in every rank; afterwards the same in all of them.
    ///   - parts: The range of `values` that each rank gives, by rank. They do not overlap.
    func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) throws(MPIError)
    /// Begins an elementwise sum over the ranks, which goes on while they do something else.
    func startSum(_ values: [Int]) throws(MPIError) -> any PendingSum
    /// Divides the group: ranks that give the same number form a new one, in their order here.
    ///
    /// - Parameter color: Not negative.
    func split(_ color: Int) throws(MPIError) -> any Communicator
    /// Returns the sender of single messages between these ranks, always the same one; nil where there is nobody to
    /// send to.
    func messenger() throws(MPIError) -> (any Messenger)?
    /// Ends all ranks of the job at once, with this exit status. It returns only where there is no job.
    func abort(_ status: Int32)
}

/// A sum that `startSum` has begun.
public protocol PendingSum: AnyObject {
    /// Moves on what can be moved without waiting. Between calls MPI does little, and a rank that does nothing for the
    /// sum holds up the others.
    func advance() throws(MPIError)
    /// Waits until all ranks have given their values, and returns the sums. To be called once.
    func wait() throws(MPIError) -> [Int]
}

extension Communicator {
    /// Collects every rank's text, by rank.
    public func gather(text: String) throws(MPIError) -> [String] {
        try gather(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Collects every rank's numbers, by rank; ranks may give different numbers of them.
    public func gather(numbers: [Int]) throws(MPIError) -> [[Int]] {
        try gather(numbers.withUnsafeBytes { Array($0) }).map { bytes in
            bytes.withUnsafeBytes { raw in
                (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int.self) }
            }
        }
    }

    /// Holds the other ranks until rank 0 reaches `releaseFromRoot`, so that what is wrong for all is found, and told,
    /// once.
    public func waitForRoot() throws(MPIError) { if rank > 0 { try barrier() } }

    /// Lets the ranks that wait in `waitForRoot` go on.
    public func releaseFromRoot() throws(MPIError) { if rank == 0 { try barrier() } }
}

/// A job of one rank, without MPI.
public final class SingleCommunicator: Communicator {
    public let rank = 0
    public let size = 1
    public let hostName = systemHostName()

    /// Makes a job of this process alone.
    public init() {}

    public func barrier() {}
    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {}
    public func sum(_ values: inout [Int]) {}
    public func maximum(_ values: inout [Double]) {}
    public func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
    public func gather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
    public func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) {}
    public func startSum(_ values: [Int]) -> any PendingSum { KnownSum(values) }
    public func split(_ color: Int) -> any Communicator { self }
    public func messenger() -> (any Messenger)? { nil }
    public func abort(_ status: Int32) {}
}

/// A sum whose outcome is known from the start.
public final class KnownSum: PendingSum {
    private let values: [Int]

    /// Makes a sum that comes to these values.
    public init(_ values: [Int]) { self.values = values }

    public func advance() {}
    public func wait() -> [Int] { values }
}
