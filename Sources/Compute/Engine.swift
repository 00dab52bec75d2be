import CKernels

/// Runs layers' arithmetic: one instruction set's kernels on one thread pool, with its memory.
///
/// Every operation cuts its work into items by the maps' sizes alone, and adds partial results in the items' order, so
/// that its result is the same to the bit for every number of threads. Not for use by two threads at once.
public final class Engine {
    public let pool: ThreadPool
    public let instructionSet: InstructionSet
    public let workspace = Workspace()
    let kernels: ck_kernels
    /// Scratch memory per thread, as large as the largest use so far.
    private var scratch: [FloatBuffer] = []
    /// Transformed weights of the layer at work, and their gradient: they live for one call only.
    var transformed: FloatBuffer?

    public init(pool: ThreadPool, instructionSet: InstructionSet = .best) {
        self.pool = pool
        self.instructionSet = instructionSet
        kernels = instructionSet.kernels
    }

    /// An uninitialised map.
    public func map(samples: Int, extent: ZYX<Int>, channels: Int) -> FeatureMap {
        FeatureMap(
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
        if scratch.first.map({ $0.count < floats }) ?? true {
            scratch = []
            scratch = (0..<pool.threads).map { _ in workspace.take(floats) }
        }
        let pointers = scratch.map(\.pointer)
        pool.run(items) { item, worker in body(item, pointers[worker]) }
    }

    /// Voxels per item of channel-by-channel work.
    static let chunk = 2048

    /// Runs `body(first, count)` over fixed chunks of `voxels`.
    func overVoxels(_ voxels: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
        pool.run((voxels + Self.chunk - 1) / Self.chunk) { item, _ in
            body(item * Self.chunk, min(Self.chunk, voxels - item * Self.chunk))
        }
    }

    /// Sums `width` doubles over fixed chunks of `voxels`, in the chunks' order.
    func sumOverVoxels(
        _ voxels: Int, width: Int, _ body: (_ first: Int, _ count: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
    ) -> [Double] {
        let chunks = (voxels + Self.chunk - 1) / Self.chunk
        var partial = [Double](repeating: 0, count: chunks * width)
        partial.withUnsafeMutableBufferPointer { partial in
            let base = partial.baseAddress.unsafelyUnwrapped
            overVoxels(voxels) { first, count in body(first, count, base + first / Self.chunk * width) }
        }
        var total = [Double](repeating: 0, count: width)
        for chunk in 0..<chunks { for index in 0..<width { total[index] += partial[chunk * width + index] } }
        return total
    }
}
