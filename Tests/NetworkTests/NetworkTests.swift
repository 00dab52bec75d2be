import Testing

@Suite struct NetworkTests {
    @Test func exists() { #expect(Bool(true)) }
}
