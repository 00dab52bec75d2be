// Messages between two ranks that travel while their sender computes.

import COpenMPI

/// Bytes for a rank, or from it. Their memory belongs to the code that starts the transfer.
public struct Message {
    /// The rank that receives the bytes, or sends them.
    public let rank: Int
    /// The memory that is sent from, or received into; both sides give the same length.
    public let bytes: UnsafeMutableRawBufferPointer

    /// Makes a message for a rank, or from it.
    public init(rank: Int, bytes: UnsafeMutableRawBufferPointer) {
        self.rank = rank
        self.bytes = bytes
    }
}

/// Messages on their way.
public protocol Transfer: AnyObject {
    /// Moves on what can be moved without waiting, and returns whether all has been sent and received.
    ///
    /// MPI moves nothing between calls, or little: a caller that wants progress asks again and again.
    func isDone() throws(MPIError) -> Bool
}

/// A sender and receiver of single messages, apart from the communicator's collectives.
public protocol Messenger: AnyObject {
    /// Whether a thread other than the communicator's may use it, as long as only one of them is in MPI at a time.
    var servesOtherThreads: Bool { get }
    /// Starts messages. Their memory stays where it is until they are done: what is sent is not changed, what is
    /// received not read.
    ///
    /// - Parameters:
    ///   - sends: The messages that go out.
    ///   - receives: The messages that are to come in.
    ///   - tag: 0 ..< 32,768. A message arrives where its receiver has given the same.
    func start(sends: [Message], receives: [Message], tag: Int) throws(MPIError) -> any Transfer
}

/// A messenger over MPI, in a space of its own: no message of another library or a collective is taken for one of its.
final class MPIMessenger: Messenger {
    let servesOtherThreads: Bool
    private let communicator: MPI_Comm

    /// Makes a messenger between the ranks of a communicator, all of which call it.
    init(_ ranks: MPI_Comm, servesOtherThreads: Bool) throws(MPIError) {
        var own: MPI_Comm?
        try MPIError.check(MPI_Comm_dup(ranks, &own), "MPI_Comm_dup")
        guard let own else { throw MPIError(code: Int32(MPI_ERR_COMM), function: "MPI_Comm_dup") }
        try MPIError.check(MPI_Comm_set_errhandler(own, mpiErrorsReturn), "MPI_Comm_set_errhandler")
        communicator = own
        self.servesOtherThreads = servesOtherThreads
    }

    func start(sends: [Message], receives: [Message], tag: Int) throws(MPIError) -> any Transfer {
        var requests: [MPI_Request?] = []
        requests.reserveCapacity(sends.count + receives.count)
        // Places first: what arrives before its place is known is copied.
        for message in receives {
            var request: MPI_Request?
            try MPIError.check(
                MPI_Irecv(
                    message.bytes.baseAddress, Int32(message.bytes.count), mpiByte, Int32(message.rank), Int32(tag),
                    communicator, &request), "MPI_Irecv")
            requests.append(request)
        }
        for message in sends {
            var request: MPI_Request?
            try MPIError.check(
                MPI_Isend(
                    message.bytes.baseAddress, Int32(message.bytes.count), mpiByte, Int32(message.rank), Int32(tag),
                    communicator, &request), "MPI_Isend")
            requests.append(request)
        }
        return MPITransfer(requests)
    }
}

private final class MPITransfer: Transfer {
    private var requests: [MPI_Request?]

    init(_ requests: [MPI_Request?]) { self.requests = requests }

    func isDone() throws(MPIError) -> Bool {
        var isDone: Int32 = 0
        try MPIError.check(
            MPI_Testall(Int32(requests.count), &requests, &isDone, mpiStatusesIgnore), "MPI_Testall")
        return isDone != 0
    }
}
