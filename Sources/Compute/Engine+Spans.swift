import Basics

extension Engine {
    /// Begins a span of the training thread.
    public func begin(_ name: @autoclosure () -> String) -> OpenSpan { OpenSpan(name(), in: spans) }

    /// Runs `body` as a span of the training thread.
    public func span<Result>(_ name: @autoclosure () -> String, _ body: () throws -> Result) rethrows -> Result {
        let span = begin(name())
        defer { span.end() }
        return try body()
    }
}
