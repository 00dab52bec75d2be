extension SpanLog.Content {
    /// The time in s that spans of the training thread took without the spans inside them, by name, of some steps.
    public func ownSeconds(steps: ClosedRange<Int>) -> [String: Double] {
        let own = spans.filter { $0.track == 0 && steps.contains(Int($0.step)) }
        var times = [Int64](repeating: 0, count: names.count)
        // Spans come in the order in which they ended, so what is inside one comes before it.
        var open: [(begin: Int64, length: Int64)] = []
        for span in own {
            var inside: Int64 = 0
            while let last = open.last, last.begin >= span.begin {
                inside += last.length
                open.removeLast()
            }
            let length = span.end - span.begin
            times[Int(span.name)] += length - inside
            open.append((span.begin, length))
        }
        var seconds: [String: Double] = [:]
        for (name, time) in zip(names, times) where time != 0 { seconds[name] = Double(time) / 1e9 }
        return seconds
    }
}
