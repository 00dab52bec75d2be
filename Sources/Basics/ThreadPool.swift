import CSystem
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A team of threads that share the items of one loop after another.
///
/// A training step has hundreds of parallel loops of a millisecond or less, so a thread that runs out of work spins for
/// some microseconds until the next loop, and only then sleeps: it burns no core while its rank waits for data or for
/// MPI. Which thread runs an item is not determined; results must not depend on it.
public final class ThreadPool: @unchecked Sendable {
    /// The number of threads that work on a loop, the calling one included.
    public let threads: Int

    private let generation = Atomic<Int>(0)
    private let nextItem = Atomic<Int>(0)
    private let busy = Atomic<Int>(0)
    private let sleeping = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    // Written by `run` before it raises `generation`, read by workers after they have seen it raised.
    private var itemCount = 0
    private var body: ((Int, Int) -> Void)?
    private var handles: [pthread_t] = []
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// The number of polls before a thread sleeps: some tens of microseconds, with the processor's pause between them.
    private static let patience = 2_000

    /// Whether the pool passes loops over, having been made for planning.
    public let isIdle: Bool

    /// Makes a pool that runs nothing: for planning what a real one of as many threads would need.
    ///
    /// - Parameter threads: At least 1.
    public init(planning threads: Int) {
        precondition(threads >= 1, "a pool of \(threads) threads cannot run anything")
        self.threads = threads
        isIdle = true
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    /// Starts the threads.
    ///
    /// - Parameter threads: At least 1; the calling thread is one of them.
    public init(threads: Int) {
        precondition(threads >= 1, "a pool of \(threads) threads cannot run anything")
        self.threads = threads
        isIdle = false
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        for worker in stride(from: 1, to: threads, by: 1) {
            let start = Unmanaged.passRetained(Start(pool: self, worker: worker))
            var handle = pthread_t()
            let status = pthread_create(&handle, nil, { workerMain($0!) }, start.toOpaque())
            precondition(status == 0, "the system refused thread \(worker) of \(threads)")
            handles.append(handle)
        }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// The number of processors that this process may run on.
    public static var availableCores: Int { Int(cs_available_cores()) }

    /// Runs `body(item, worker)` for every item in `0..<count` and returns when all are done. Items start in order.
    ///
    /// - Parameter body: `worker` in `0..<threads` is the running thread, for scratch memory of its own.
    /// - Precondition: Not called from within `body`, nor by two threads at once.
    public func run(_ count: Int, _ body: (_ item: Int, _ worker: Int) -> Void) {
        if isIdle { return }
        if threads == 1 || count <= 1 {
            for item in 0..<count { body(item, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            self.body = body
            itemCount = count
            nextItem.store(0, ordering: .relaxed)
            busy.store(threads - 1, ordering: .relaxed)
            generation.add(1, ordering: .sequentiallyConsistent)
            if sleeping.load(ordering: .sequentiallyConsistent) > 0 {
                pthread_mutex_lock(mutex)
                pthread_cond_broadcast(condition)
                pthread_mutex_unlock(mutex)
            }
            work(0)
            var polls = 0
            while busy.load(ordering: .acquiring) > 0 {
                cs_pause()
                polls += 1
                if polls > Self.patience { sched_yield() }
            }
            self.body = nil
        }
    }

    private func work(_ worker: Int) {
        guard let body else { return }
        let count = itemCount
        while true {
            let item = nextItem.add(1, ordering: .relaxed).oldValue
            if item >= count { return }
            body(item, worker)
        }
    }

    /// Runs a worker thread's share of all loops, until the pool is stopped.
    fileprivate func serve(_ worker: Int) {
        var seen = 0
        while true {
            var polls = 0
            while generation.load(ordering: .acquiring) == seen {
                cs_pause()
                polls += 1
                if polls > Self.patience { sleep(until: seen) }
            }
            seen += 1
            if stopping.load(ordering: .acquiring) { return }
            work(worker)
            busy.subtract(1, ordering: .releasing)
        }
    }

    private func sleep(until seen: Int) {
        pthread_mutex_lock(mutex)
        sleeping.add(1, ordering: .sequentiallyConsistent)
        while generation.load(ordering: .sequentiallyConsistent) == seen { pthread_cond_wait(condition, mutex) }
        sleeping.subtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(mutex)
    }

    /// Ends the threads. The pool's owner calls it when no loop is running; `deinit` cannot, since the threads hold the
    /// pool.
    public func stop() {
        guard !stopping.exchange(true, ordering: .acquiringAndReleasing) else { return }
        generation.add(1, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
        for handle in handles { pthread_join(handle, nil) }
        handles = []
    }
}

private final class Start {
    let pool: ThreadPool
    let worker: Int

    init(pool: ThreadPool, worker: Int) {
        self.pool = pool
        self.worker = worker
    }
}

private func workerMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    start.pool.serve(start.worker)
    return nil
}
