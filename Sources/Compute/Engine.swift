import Basics
import CKernels

#if canImport(Glibc)
    import Glibc
#endif

/// Runs layers' arithmetic: one instruction set's kernels on one thread pool, with its memory.
///
/// Every operation cuts its work into items by the maps' sizes alone, and adds partial results in the items' order, so
/// that its result is the same to the bit for every number of threads. Not for use by two threads at once.
public final class Engine {
    /// The threads that do the work.
    public let pool: ThreadPool
    /// The instruction set of the kernels.
    public let instructionSet: InstructionSet
    /// The memory of feature maps.
    public let workspace: Workspace
    /// The timeline that layers record their time in, if one is kept.
    public var spans: SpanLog?
    /// A function that replaces values by their sums over all replicas, where replicas share the statistics of batch
    /// normalisation; nil where each has its own. Every replica calls it with as many values, in the layers' order.
    public var sumOverReplicas: (([Double]) -> [Double])?
    let kernels: ck_kernels
    /// The size in bytes of a core's second-level cache, for which blocks are chosen.
    let cache: Int
    /// Scratch memory of all threads.
    private var scratch = ScratchMemory()
    /// Transformed weights of the layer at work, or their gradient: they live during one call only.
    var transformed = ScratchMemory()

    /// Creates an engine on a pool's threads, with the kernels of an instruction set that this processor must have.
    public convenience init(pool: ThreadPool, instructionSet: InstructionSet = .best) {
        self.init(pool: pool, instructionSet: instructionSet, cache: Self.secondLevelCache)
    }

    /// Creates an engine for a second-level cache of so many bytes, which changes no result.
    init(pool: ThreadPool, instructionSet: InstructionSet, cache: Int) {
        self.pool = pool
        self.instructionSet = instructionSet
        kernels = instructionSet.kernels
        self.cache = cache
        workspace = Workspace()
    }

    /// Whether the engine computes nothing, having been made for planning.
    public var isPlanning: Bool { pool.isIdle }

    /// Makes an engine that computes nothing, and whose `plannedBytes` are those of a real one all the same.
    ///
    /// - Parameters:
    ///   - threads: The number of threads of the real engine, which all have scratch memory.
    ///   - instructionSet: The instruction set of the real engine.
    ///   - cache: The size in bytes of a core's second-level cache; nil for this machine's.
    public init(planning threads: Int, instructionSet: InstructionSet = .best, cache: Int? = nil) {
        pool = ThreadPool(planning: threads)
        self.instructionSet = instructionSet
        kernels = instructionSet.kernels
        self.cache = cache ?? Self.secondLevelCache
        workspace = Workspace(isPlanning: true)
    }

    /// The size in bytes of a core's second-level cache; 1 MiB where the system does not say.
    private static let secondLevelCache: Int = {
        #if canImport(Glibc)
            let size = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
            if size > 0 { return size }
        #endif
        return 1 << 20
    }()

    /// An uninitialised map.
    public func map(samples: Int, extent: ZYX<Int>, channels: Int) -> FeatureMap {
        precondition(
            samples > 0 && extent.z > 0 && extent.y > 0 && extent.x > 0 && channels > 0,
            "a map of \(samples) samples, \(extent) voxels and \(channels) channels holds nothing")
        return FeatureMap(
            buffer: workspace.take(samples * extent.product * channels), samples: samples, extent: extent,
            channels: channels, stride: channels)
    }

    /// An uninitialised map of the same size, with as many channels or others.
    public func map(like other: FeatureMap, channels: Int? = nil) -> FeatureMap {
        map(samples: other.samples, extent: other.extent, channels: channels ?? other.channels)
    }

    /// Runs `items` in parallel, each with `floats` of scratch memory of its thread.
    func parallel(
        _ items: Int, scratch floats: Int, _ body: (_ item: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
    ) {
        let share = (floats + 15) / 16 * 16
        let base = scratch.floats(share * pool.threads)
        pool.run(items) { item, worker in body(item, base + worker * share) }
    }

    /// Bytes of all buffers: activations, scratch space and transformed weights.
    public var plannedBytes: Int { workspace.extent + scratch.bytes + transformed.bytes }

    /// Voxels per item of channel-by-channel work.
    static let chunk = 2048

    /// Runs `body(first, count)` over fixed chunks of `voxels`.
    func overVoxels(_ voxels: Range<Int>, _ body: (_ first: Int, _ count: Int) -> Void) {
        pool.run((voxels.count + Self.chunk - 1) / Self.chunk) { item, _ in
            let first = voxels.lowerBound + item * Self.chunk
            body(first, min(Self.chunk, voxels.upperBound - first))
        }
    }

    /// Sums `width` doubles over fixed chunks of `voxels`, in the chunks' order.
    func sumOverVoxels(
        _ voxels: Range<Int>, width: Int,
        _ body: (_ first: Int, _ count: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
    ) -> [Double] {
        sumOverItems(0..<(voxels.count + Self.chunk - 1) / Self.chunk, width: width, scratch: 0) { item, _, sums in
            let first = voxels.lowerBound + item * Self.chunk
            body(first, min(Self.chunk, voxels.upperBound - first), sums)
        }
    }

    /// Sums `width` doubles over `items`, in their order.
    func sumOverItems(
        _ items: Range<Int>, width: Int, scratch floats: Int,
        _ body: (_ item: Int, _ scratch: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Double>) -> Void
    ) -> [Double] {
        var partial = [Double](repeating: 0, count: items.count * width)
        partial.withUnsafeMutableBufferPointer { partial in
            let base = partial.baseAddress.unsafelyUnwrapped
            parallel(items.count, scratch: floats) { item, scratch in
                body(items.lowerBound + item, scratch, base + item * width)
            }
        }
        var total = [Double](repeating: 0, count: width)
        for item in 0..<items.count { for index in 0..<width { total[index] += partial[item * width + index] } }
        return total
    }
}
