import Testing

@Suite struct TrainingTests {
    @Test func exists() { #expect(Bool(true)) }
}
