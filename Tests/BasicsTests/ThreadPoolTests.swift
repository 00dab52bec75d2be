import Synchronization
import Testing

@testable import Basics

@Suite struct ThreadPoolTests {
    @Test(arguments: [1, 2, 4]) func everyItemOnce(_ threads: Int) {
        let pool = ThreadPool(threads: threads)
        defer { pool.stop() }
        for count in [0, 1, 3, 1000] {
            let seen = Mutex([Int](repeating: 0, count: count))
            pool.run(count) { item, worker in
                #expect(0..<threads ~= worker)
                seen.withLock { $0[item] += 1 }
            }
            #expect(seen.withLock { $0.allSatisfy { $0 == 1 } })
        }
    }

    /// Many short loops, and pauses in which the threads go to sleep.
    @Test func sleepsAndWakes() {
        let pool = ThreadPool(threads: 3)
        defer { pool.stop() }
        let total = Atomic<Int>(0)
        for round in 0..<300 {
            pool.run(7) { item, _ in total.add(item, ordering: .relaxed) }
            if round % 100 == 0 { pause() }
        }
        #expect(total.load(ordering: .relaxed) == 300 * 21)
    }

    private func pause() {
        let end = ContinuousClock.now + .milliseconds(20)
        while ContinuousClock.now < end {}
    }
}
