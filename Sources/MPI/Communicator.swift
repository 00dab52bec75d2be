/// The ranks of one job, and what they can do together.
///
/// Every call but `abort` is collective: all ranks make it, in the same order, from the thread that made the
/// communicator, while no other thread uses its messenger.
public protocol Communicator: AnyObject {
    /// 0 ..< size.
    var rank: Int { get }
    var size: Int { get }
    var hostName: String { get }

    /// Returns when all ranks have called it.
    func barrier() throws(MPIError)
    /// Gives every rank the bytes of rank `root`.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError)
    /// The elementwise sum over ranks, in place.
    func sum(_ values: inout [Int]) throws(MPIError)
    /// The elementwise maximum over ranks, in place.
    func maximum(_ values: inout [Double]) throws(MPIError)
    /// The elementwise sum over ranks, in place, in the order that MPI chooses.
    func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError)
    /// Every rank's bytes, by rank; they may differ in number.
    func gather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]]
    /// Has every rank's part of `values` where it belongs in all ranks' `values`.
    ///
    /// - Parameter parts: The ranges of the parts, by rank.
    func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) throws(MPIError)
    /// Begins an elementwise sum over ranks, which goes on while they do something else.
    func startSum(_ values: [Int]) throws(MPIError) -> any PendingSum
    /// The ranks that give the same number, in their order here.
    func split(_ color: Int) throws(MPIError) -> any Communicator
    /// What sends single messages between these ranks; nil where it cannot be done, or nobody is there.
    func messenger() throws(MPIError) -> (any Messenger)?
    /// Ends all ranks at once. Returns only where there is nobody else.
    func abort(_ status: Int32)
}

/// A sum that `startSum` has begun.
public protocol PendingSum: AnyObject {
    /// Moves on what can be moved without waiting: between calls MPI does little, and a rank that does nothing for the sum
    /// holds up others.
    func advance() throws(MPIError)
    /// Returns the sum when all ranks have given their values. Called once.
    func wait() throws(MPIError) -> [Int]
}

extension Communicator {
    /// Every rank's text, by rank.
    public func gather(text: String) throws(MPIError) -> [String] {
        try gather(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Every rank's numbers, by rank; they may differ in number.
    public func gather(numbers: [Int]) throws(MPIError) -> [[Int]] {
        try gather(numbers.withUnsafeBytes { Array($0) }).map { bytes in
            bytes.withUnsafeBytes { raw in
                (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int.self) }
            }
        }
    }

    /// Has the other ranks wait until rank 0 reaches `releaseFromRoot`: what is wrong for all is found, and told, once.
    public func waitForRoot() throws(MPIError) { if rank > 0 { try barrier() } }

    /// Lets the ranks go on that wait in `waitForRoot`.
    public func releaseFromRoot() throws(MPIError) { if rank == 0 { try barrier() } }
}

/// A job of one rank, without MPI.
public final class SingleCommunicator: Communicator {
    public let rank = 0
    public let size = 1
    public let hostName = systemHostName()

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

/// A sum of which all values are known.
public final class KnownSum: PendingSum {
    private let values: [Int]

    public init(_ values: [Int]) { self.values = values }

    public func advance() {}
    public func wait() -> [Int] { values }
}
