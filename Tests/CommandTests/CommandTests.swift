import Testing

@Suite struct CommandTests {
    @Test func exists() { #expect(Bool(true)) }
}
