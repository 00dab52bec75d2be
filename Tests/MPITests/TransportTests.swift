import Testing

@testable import MPI

@Suite struct TransportTests {
    /// The names of control variables that Open MPI 4.1 leaves after its start, shortened.
    @Test func openComponents() {
        let usual = MPITransport(
            library: "Open MPI v4.1.4",
            variables: [
                "btl", "btl_base_verbose", "btl_tcp_exclusivity", "btl_vader_exclusivity", "btl_self_exclusivity",
                "btl_tcp_latency", "btl_tcp_latency_eth0", "btl_tcp_latency_eth0:0", "pml", "pml_ob1_priority",
                "pml_base_verbose", "mtl_ofi_priority",
            ])
        #expect(usual.messaging == "ob1" && usual.layers == ["self", "tcp", "vader"] && usual.interfaces == ["eth0"])
        #expect(usual.withinHost == "shared memory (vader)" && usual.betweenHosts == "TCP (eth0)")
        let network = MPITransport(
            library: "", variables: ["btl_tcp_exclusivity", "btl_self_exclusivity", "pml_ob1_priority"])
        #expect(network.withinHost == "TCP" && network.betweenHosts == "TCP")
        let ucx = MPITransport(library: "", variables: ["pml_monitoring_priority", "pml_ucx_priority"])
        #expect(ucx.messaging == "ucx" && ucx.layers == [] && ucx.withinHost == "UCX" && ucx.betweenHosts == "UCX")
        let unknown = MPITransport(library: "", variables: ["mpi_show_handle_leaks"])
        #expect(unknown.messaging == nil && unknown.withinHost == nil && unknown.betweenHosts == nil)
    }

    @Test func libraryIsNamedWithoutStartingIt() { #expect(MPITransport.libraryVersion.contains("MPI")) }

    /// A clock 5 ms ahead; messages take 1 ms one way, 3 ms the other.
    @Test func clockBounds() throws {
        let offset = ClockOffset(arriving: 6_000_000, returning: -2_000_000)
        #expect(abs(offset.seconds - 0.004) < 1e-12 && abs(offset.uncertainty - 0.002) < 1e-12)
        #expect(abs(offset.seconds - 0.005) <= offset.uncertainty)
        #expect(try SingleCommunicator().clockOffset() == ClockOffset(seconds: 0, uncertainty: 0))
    }
}
