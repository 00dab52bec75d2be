import Synchronization

extension ThreadPool {
    /// Runs `body(item)` for every item in `0..<count`, and returns when all are done. Where some fail, the error is
    /// that of the first in order, whatever the number of threads; items behind it may be left out.
    ///
    /// - Throws: What `body` throws.
    /// - Precondition: Not called from within `body`, nor by two threads at once.
    public func runThrowing(_ count: Int, _ body: (_ item: Int) throws -> Void) throws {
        let first = Mutex<(item: Int, error: any Error)?>(nil)
        run(count) { item, _ in
            // Items start in order: all before a failed one have started.
            guard first.withLock({ $0.map { item < $0.item } ?? true }) else { return }
            do { try body(item) } catch {
                first.withLock { if $0.map({ item < $0.item }) ?? true { $0 = (item, error) } }
            }
        }
        if let (_, error) = first.withLock({ $0 }) { throw error }
    }
}
