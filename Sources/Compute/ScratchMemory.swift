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

/// Ends the program: a step without its memory cannot go on, and its callers could only do the same.
func outOfMemory(_ bytes: Int, beside inUse: Int) -> Never {
    let text = """
        luna: the system has no \(bytes >> 20) MiB more for activations, beside \(inUse >> 20) MiB in use; smaller crops, \
        micro-batches or tiles need less

        """
    _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(70)
}
