import Testing

@Suite struct EvaluationTests {
    @Test func exists() { #expect(Bool(true)) }
}
