#if canImport(Glibc)
    import Glibc
    private let systemFree = Glibc.free
#else
    import Darwin
    private let systemFree = Darwin.free
#endif

/// Memory for activations that is handed out and taken back: after the first step of a shape, no step allocates.
///
/// A buffer goes back by itself when nothing refers to it any more, so what a layer keeps for its backward pass is
/// what it holds on to. Not for use by two threads at once.
public final class Workspace {
    /// Buffers waiting to be used again, by size.
    fileprivate var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
    /// Bytes handed out now, and the most there ever were.
    public fileprivate(set) var bytesInUse = 0
    public private(set) var peakBytes = 0
    /// Bytes that wait to be handed out again.
    public var bytesWaiting: Int { free.reduce(0) { $0 + 4 * $1.key * $1.value.count } }

    public init() {}

    /// An uninitialised buffer of `count` floats, aligned to a cache line.
    public func take(_ count: Int) -> FloatBuffer {
        bytesInUse += count * 4
        peakBytes = max(peakBytes, bytesInUse)
        return FloatBuffer(free[count]?.popLast() ?? Self.allocate(count), count: count, workspace: self)
    }

    /// Gives back to the system what waits to be used again: sizes that one shape needs are of no use to another.
    public func releaseUnused() {
        for list in free.values { for pointer in list { systemFree(pointer) } }
        free = [:]
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let bytes = count * 4
        let large = bytes >= 4 << 20
        // Large pages, where the system has them: activations are walked through from end to end.
        let alignment = large ? 2 << 20 : 64
        var memory: UnsafeMutableRawPointer?
        precondition(posix_memalign(&memory, alignment, max(bytes, 64)) == 0, "no memory for \(bytes) bytes")
        let pointer = memory.unsafelyUnwrapped.bindMemory(to: Float.self, capacity: count)
        #if os(Linux)
            if large { madvise(memory, bytes, 14) }  // MADV_HUGEPAGE
        #endif
        pointer.initialize(repeating: 0, count: count)
        return pointer
    }

    deinit { releaseUnused() }
}

/// Floats from a workspace.
public final class FloatBuffer {
    public let pointer: UnsafeMutablePointer<Float>
    public let count: Int
    private let workspace: Workspace

    fileprivate init(_ pointer: UnsafeMutablePointer<Float>, count: Int, workspace: Workspace) {
        self.pointer = pointer
        self.count = count
        self.workspace = workspace
    }

    deinit {
        workspace.free[count, default: []].append(pointer)
        workspace.bytesInUse -= count * 4
    }
}
