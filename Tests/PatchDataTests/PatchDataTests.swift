import Testing

@Suite struct PatchDataTests {
    @Test func exists() { #expect(Bool(true)) }
}
