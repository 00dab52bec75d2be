import Testing

@Suite struct FileIOTests {
    @Test func exists() { #expect(Bool(true)) }
}
