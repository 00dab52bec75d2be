import Testing

@Suite struct DetectionTests {
    @Test func exists() { #expect(Bool(true)) }
}
