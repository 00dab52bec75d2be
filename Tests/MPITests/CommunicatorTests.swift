import Testing

@testable import MPI

/// The real thing runs under mpirun, in CommandTests.
@Suite struct CommunicatorTests {
    @Test func aloneThereIsNobodyToWaitFor() {
        let communicator = SingleCommunicator()
        #expect(communicator.rank == 0 && communicator.size == 1 && !communicator.hostName.isEmpty)
        var counts = [1, 2]
        communicator.sum(&counts)
        #expect(counts == [1, 2])
        #expect(communicator.gather([1, 2, 3]) == [[1, 2, 3]])
        var values: [Float] = [1, 2]
        var received: [Float] = [0, 0]
        values.withUnsafeMutableBufferPointer { values in
            received.withUnsafeMutableBufferPointer { received in
                communicator.exchange(values, parts: [0..<2], into: received)
            }
        }
        #expect(received == [1, 2])
    }

    /// MPI's own words are to be had between its start and its end only.
    @Test func errorsWithoutMPI() {
        #expect(throws: MPIError.self) { try MPIError.check(2, "MPI_Send") }
        let error = MPIError(code: 2, function: "MPI_Send")
        #expect(error.description == "MPI_Send: error 2")
    }
}
