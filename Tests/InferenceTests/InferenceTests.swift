import Testing

@Suite struct InferenceTests {
    @Test func exists() { #expect(Bool(true)) }
}
