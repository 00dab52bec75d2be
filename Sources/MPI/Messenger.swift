// Messages between two ranks that travel while their sender computes.

import COpenMPI

/// Bytes for a rank, or from it. Their memory belongs to whoever starts the transfer.
public struct Message {
    public let rank: Int
    public let bytes: UnsafeMutableRawBufferPointer

    public init(rank: Int, bytes: UnsafeMutableRawBufferPointer) {
        self.rank = rank
        self.bytes = bytes
    }
}

/// Messages on their way.
public protocol Transfer: AnyObject {
    /// Moves on what can be moved without waiting; whether all has been sent and received.
    ///
    /// MPI moves nothing between calls, or little: who wants progress asks again and again.
    func isDone() throws(MPIError) -> Bool
}

/// Sends and receives single messages, apart from the communicator's collectives.
public protocol Messenger: AnyObject {
    /// Whether a thread other than the communicator's may use it, as long as only one of them is in MPI at a time.
    var servesOtherThreads: Bool { get }
    /// Starts messages. Their memory stays where it is until they are done: what is sent unchanged, what is received
    /// unread.
    ///
    /// - Parameter tag: 0 ..< 32,768. A message arrives where its receiver has given the same.
    func start(sends: [Message], receives: [Message], tag: Int) throws(MPIError) -> any Transfer
}

/// Messages by MPI, in a space of their own: no other library's and no collective's can be taken for one of them.
final class MPIMessenger: Messenger {
    let servesOtherThreads: Bool
    private let communicator: MPI_Comm

    /// Collective.
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
