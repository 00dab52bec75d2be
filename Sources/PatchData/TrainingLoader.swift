import Basics
import Detection
import FileIO
import Foundation

/// A loader that prepares a rank's micro-batches in background threads while the network computes.
///
/// Micro-batches come in order: step by step, and within a step replica by replica of this rank; after an epoch's last
/// step the next epoch's first follows. Their content depends on seed, epoch, step and replica alone.
public final class TrainingLoader {
    /// The choice of samples that the micro-batches follow.
    public let sampler: Sampler
    private let replicas: Range<Int>
    private let queue: Queue

    /// Starts the threads; they sleep until `start` is called.
    ///
    /// - Parameters:
    ///   - source: The patches.
    ///   - configuration: The experiment's samples.
    ///   - replicas: The replicas of this rank.
    ///   - threads: The number of threads that prepare crops; they sleep while enough are ready.
    ///   - name: The data set's name in messages.
    ///   - spans: A log that the threads record their time in, if a timeline is kept.
    /// - Throws: `InputError` where there is nothing to train on, or less than one step of it.
    public init(
        source: some PatchSource, configuration: SamplingConfiguration, replicas: Range<Int>, threads: Int,
        name: String = "data set", spans: SpanLog? = nil
    ) throws {
        sampler = try Sampler(source, configuration, name: name)
        guard sampler.stepsPerEpoch > 0 else {
            throw InputError(
                name,
                "an epoch of \(sampler.samplesPerEpoch) samples does not fill one step of "
                    + "\(configuration.replicas) replicas with \(configuration.microBatch) crops each",
                remedy: "convert more scans, or lower replicas or micro_batch")
        }
        self.replicas = replicas
        queue = Queue(
            sampler: sampler, builder: CropBuilder(source: source, configuration: configuration), replicas: replicas,
            capacity: max(2 * replicas.count, threads + 1))
        for _ in 0..<max(1, threads) {
            let track = spans?.addTrack("loader")
            let thread = Thread { [queue] in queue.work(track) }
            thread.name = "loader"
            thread.start()
        }
    }

    deinit { queue.stop() }

    /// The number of steps of an epoch.
    public var stepsPerEpoch: Int { sampler.stepsPerEpoch }

    /// Goes to a step, which `next` then begins with.
    ///
    /// - Parameters:
    ///   - epoch: From 1.
    ///   - step: From 0, in the epoch.
    public func start(epoch: Int, step: Int) {
        queue.start(at: ((epoch - 1) * stepsPerEpoch + step) * replicas.count)
    }

    /// The next micro-batch; waits until it is ready.
    ///
    /// - Throws: What reading its patches threw.
    public func next() throws -> MicroBatch { try queue.next() }

    /// The seconds spent waiting in `next` so far.
    public var waitSeconds: Double { queue.waited }
}

/// A window of numbered micro-batches that threads fill and one consumer empties in order.
private final class Queue: @unchecked Sendable {
    private let sampler: Sampler
    private let builder: CropBuilder
    private let replicas: Range<Int>
    private let capacity: Int
    private let condition = NSCondition()
    // All below are guarded by `condition`.
    private var ready: [Int: Result<MicroBatch, any Error>] = [:]
    private var claimed = 0
    private var consumed = 0
    private var round = 0
    private var isStopped = false
    private var isStarted = false
    private var epochs: [Int: [Sample]] = [:]
    private(set) var waited = 0.0

    init(sampler: Sampler, builder: CropBuilder, replicas: Range<Int>, capacity: Int) {
        self.sampler = sampler
        self.builder = builder
        self.replicas = replicas
        self.capacity = capacity
    }

    func start(at number: Int) {
        condition.withLock {
            round += 1
            ready = [:]
            claimed = number
            consumed = number
            isStarted = true
            condition.broadcast()
        }
    }

    func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    func next() throws -> MicroBatch {
        condition.lock()
        defer { condition.unlock() }
        let start = ContinuousClock.now
        while ready[consumed] == nil { condition.wait() }
        waited += (ContinuousClock.now - start) / .seconds(1)
        defer {
            ready[consumed] = nil
            consumed += 1
            condition.broadcast()
        }
        return try ready[consumed].map { try $0.get() } ?? { preconditionFailure("a micro-batch went missing") }()
    }

    /// Lives a thread's life: claims the next number, makes its micro-batch, puts it into the window.
    func work(_ track: SpanLog.Track?) {
        while true {
            condition.lock()
            while !isStopped && (!isStarted || claimed >= consumed + capacity) { condition.wait() }
            if isStopped {
                condition.unlock()
                return
            }
            let number = claimed
            let current = round
            claimed += 1
            let (epoch, step, replica) = place(of: number)
            let samples = samplesLocked(epoch: epoch)
            condition.unlock()
            let begin = track?.now ?? 0
            let result = Result { try make(epoch: epoch, step: step, replica: replica, samples) }
            track?.record("micro-batch", since: begin)
            condition.withLock {
                if current == round { ready[number] = result }
                condition.broadcast()
            }
        }
    }

    private func place(of number: Int) -> (epoch: Int, step: Int, replica: Int) {
        let (steps, replica) = number.quotientAndRemainder(dividingBy: replicas.count)
        let (epoch, step) = steps.quotientAndRemainder(dividingBy: sampler.stepsPerEpoch)
        return (epoch + 1, step, replicas.lowerBound + replica)
    }

    private func samplesLocked(epoch: Int) -> [Sample] {
        if let samples = epochs[epoch] { return samples }
        let samples = sampler.samples(epoch: epoch)
        epochs = epochs.filter { $0.key >= epoch - 1 }
        epochs[epoch] = samples
        return samples
    }

    private func make(epoch: Int, step: Int, replica: Int, _ samples: [Sample]) throws -> MicroBatch {
        let c = sampler.configuration
        var crops: [(Crop, String)] = []
        var generators: [CounterGenerator] = []
        for index in 0..<c.microBatch {
            let position = (step * c.replicas + replica) * c.microBatch + index
            let made = try builder.trainingCrop(samples, epoch: epoch, position: position)
            crops.append(made.crop)
            generators.append(made.generator)
        }
        return builder.stack(crops, mode: .training, generators: generators)
    }
}
