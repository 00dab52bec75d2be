import Testing

@testable import MPI

/// The real thing runs under mpirun, in CommandTests.
@Suite struct CommunicatorTests {
    @Test func aloneThereIsNobodyToWaitFor() throws {
        let communicator = SingleCommunicator()
        #expect(communicator.rank == 0 && communicator.size == 1 && !communicator.hostName.isEmpty)
        var counts = [1, 2]
        communicator.sum(&counts)
        #expect(counts == [1, 2])
        #expect(communicator.gather([1, 2, 3]) == [[1, 2, 3]])
        var values: [Float] = [1, 2]
        values.withUnsafeMutableBufferPointer { communicator.share($0, parts: [0..<2]) }
        #expect(values == [1, 2])
        let sum = communicator.startSum([3, 4])
        try sum.advance()
        #expect(try sum.wait() == [3, 4])
        #expect(communicator.split(7).size == 1)
    }

    /// MPI's own words are to be had between its start and its end only.
    @Test func errorsWithoutMPI() {
        #expect(throws: MPIError.self) { try MPIError.check(2, "MPI_Send") }
        let error = MPIError(code: 2, function: "MPI_Send")
        #expect(error.description == "MPI_Send: error 2")
    }
}
