import Testing

@Suite struct CTTests {
    @Test func exists() { #expect(Bool(true)) }
}
