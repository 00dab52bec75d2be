#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Memory that is used over and over, as large as its largest use so far: scratch space of threads, and what lives
/// during one operation only.
struct ScratchMemory: ~Copyable {
    private var pointer: UnsafeMutablePointer<Float>?
    private var capacity = 0

    /// At least `count` floats, aligned to a cache line; what they held is lost.
    mutating func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        if let pointer, capacity >= count { return pointer }
        free(pointer)
        var memory: UnsafeMutableRawPointer?
        let status = posix_memalign(&memory, 64, max(64, count * 4))
        guard status == 0, let memory else { outOfMemory(count * 4, beside: 0) }
        let pointer = memory.bindMemory(to: Float.self, capacity: count)
        self.pointer = pointer
        capacity = count
        return pointer
    }

    var bytes: Int { capacity * 4 }

    deinit { free(pointer) }
}
