import Testing

@Suite struct MPITests {
    @Test func exists() { #expect(Bool(true)) }
}
