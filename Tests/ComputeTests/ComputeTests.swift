import Testing

@Suite struct ComputeTests {
    @Test func exists() { #expect(Bool(true)) }
}
