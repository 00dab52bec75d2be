import Basics
import Synchronization
import Testing

@Suite struct ThreadPoolErrorsTests {
    private struct Fault: Error, Equatable { let item: Int }

    /// The error does not depend on which thread comes first.
    @Test(arguments: [1, 2, 5])
    func theFirstErrorInOrderIsThrown(threads: Int) {
        let pool = ThreadPool(threads: threads)
        defer { pool.stop() }
        for _ in 0..<50 {
            let done = Mutex(Set<Int>())
            #expect(throws: Fault(item: 7)) {
                try pool.runThrowing(40) { item in
                    // The later ones fail at once, the first one late.
                    if item > 7, item % 3 == 0 { throw Fault(item: item) }
                    if item == 7 {
                        var sum = 0.0
                        for step in 0..<2000 { sum += Double(step).squareRoot() }
                        throw Fault(item: sum > 0 ? 7 : -1)
                    }
                    done.withLock { _ = $0.insert(item) }
                }
            }
            #expect(done.withLock { $0 }.isSuperset(of: 0..<7))
        }
    }

    @Test func allItemsRun() throws {
        let pool = ThreadPool(threads: 3)
        defer { pool.stop() }
        let done = Mutex([Int]())
        try pool.runThrowing(20) { item in done.withLock { $0.append(item) } }
        #expect(done.withLock { $0 }.sorted() == Array(0..<20))
        try pool.runThrowing(0) { _ in throw Fault(item: 0) }
    }
}
