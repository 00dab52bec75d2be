#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Memory for activations: one range of addresses from which buffers are cut and to which they return.
///
/// A step takes and returns its buffers in the same order every time. The lowest free range that is large enough is
/// given out and returned ranges merge, so the first step of a shape settles where everything lies; the later ones find
/// it all in place, and none of them asks the system for memory. What the early, large maps leave is used again for
/// the many small ones behind them. (A planner that knows all lifetimes beforehand, as in Y. Pisarchyk and J. Lee,
/// "Efficient Memory Management for Deep Neural Net Inference", 2020, could save only the gaps: `peakBytes` against
/// `extent` shows them.)
///
/// A buffer goes back by itself when nothing refers to it any more, so what a layer keeps for its backward pass is
/// what it holds on to. Not for use by two threads at once.
public final class Workspace {
    private let base: UnsafeMutableRawPointer
    /// Bytes of addresses set aside.
    private let reserved: Int
    /// Bytes from the first address on that may be written to.
    private var usable = 0
    /// The free ranges, in order and merged where they touch. The last one ends at `reserved`.
    private var free: [Range<Int>]
    /// The number of bytes handed out now.
    public private(set) var bytesInUse = 0
    /// The largest number of bytes that were handed out at a time.
    public private(set) var peakBytes = 0
    /// The number of bytes from the first to the last that was ever handed out: the memory that this workspace
    /// occupies.
    public private(set) var extent = 0

    /// The alignment of buffers: a cache line, in bytes.
    private static let alignment = 64
    /// Memory is made usable in units of large pages: activations are walked through from end to end.
    private static let page = 2 << 20

    /// Reserves addresses for as much memory as the machine has; it takes no memory yet.
    ///
    /// - Parameter isPlanning: Whether nothing will be computed in them: more is reserved than there is memory.
    public init(isPlanning: Bool = false) {
        // Addresses cost nothing; as many as there is memory suffice. Where they are limited (`ulimit -v`), half of
        // what is left is for others.
        var size = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) / Self.page * Self.page
        if isPlanning { size *= 64 }
        while size > Self.page, !Self.isAvailable(2 * size) { size = size / 2 / Self.page * Self.page }
        guard let memory = Self.reserve(size) else { outOfMemory(size, beside: 0) }
        base = memory
        reserved = size
        free = [0..<size]
    }

    private static func reserve(_ size: Int) -> UnsafeMutableRawPointer? {
        let memory = mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0)
        return memory == MAP_FAILED ? nil : memory
    }

    private static func isAvailable(_ size: Int) -> Bool {
        guard let memory = reserve(size) else { return false }
        munmap(memory, size)
        return true
    }

    deinit { munmap(base, reserved) }

    /// An uninitialised buffer of `count` floats, aligned to a cache line.
    public func take(_ count: Int) -> FloatBuffer {
        let bytes = max(count * 4, 1).roundedUp(to: Self.alignment)
        guard let index = free.firstIndex(where: { $0.count >= bytes }) else {
            outOfMemory(bytes, beside: bytesInUse)
        }
        let range = free[index].lowerBound..<free[index].lowerBound + bytes
        if range.upperBound == free[index].upperBound {
            free.remove(at: index)
        } else {
            free[index] = range.upperBound..<free[index].upperBound
        }
        makeUsable(range.upperBound)
        bytesInUse += bytes
        peakBytes = max(peakBytes, bytesInUse)
        extent = max(extent, range.upperBound)
        let pointer = (base + range.lowerBound).bindMemory(to: Float.self, capacity: count)
        return FloatBuffer(pointer, count: count, range: range, workspace: self)
    }

    private func makeUsable(_ end: Int) {
        guard end > usable else { return }
        let wanted = min(reserved, end.roundedUp(to: Self.page))
        let status = mprotect(base + usable, wanted - usable, PROT_READ | PROT_WRITE)
        if status != 0 { outOfMemory(wanted - usable, beside: usable) }
        #if os(Linux)
            madvise(base + usable, wanted - usable, MADV_HUGEPAGE)
        #endif
        usable = wanted
    }

    fileprivate func put(_ range: Range<Int>) {
        bytesInUse -= range.count
        let next = free.firstIndex { $0.lowerBound >= range.upperBound } ?? free.count
        var merged = range
        var replaced = next..<next
        if next < free.count, free[next].lowerBound == range.upperBound {
            merged = merged.lowerBound..<free[next].upperBound
            replaced = next..<next + 1
        }
        if next > 0, free[next - 1].upperBound == range.lowerBound {
            merged = free[next - 1].lowerBound..<merged.upperBound
            replaced = next - 1..<replaced.upperBound
        }
        free.replaceSubrange(replaced, with: CollectionOfOne(merged))
    }

    /// Gives the pages that hold nothing back to the system: what one shape needs may be too much for the next.
    public func releaseUnused() {
        for range in free where range.lowerBound < usable {
            let first = range.lowerBound.roundedUp(to: Self.page)
            let end = min(range.upperBound, usable) / Self.page * Self.page
            if first < end { madvise(base + first, end - first, MADV_DONTNEED) }
        }
        peakBytes = bytesInUse
        extent = free.last.map { $0.upperBound == reserved ? $0.lowerBound : reserved } ?? reserved
    }
}

/// A buffer of floats from a workspace, which goes back to it with its last reference.
public final class FloatBuffer {
    /// The first float.
    public let pointer: UnsafeMutablePointer<Float>
    /// The number of floats.
    public let count: Int
    private let range: Range<Int>
    private let workspace: Workspace

    fileprivate init(
        _ pointer: UnsafeMutablePointer<Float>, count: Int, range: Range<Int>, workspace: Workspace
    ) {
        self.pointer = pointer
        self.count = count
        self.range = range
        self.workspace = workspace
    }

    deinit { workspace.put(range) }
}

extension Int {
    fileprivate func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
