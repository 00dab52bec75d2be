import Testing

@Suite struct HDF5Tests {
    @Test func exists() { #expect(Bool(true)) }
}
