import Synchronization

private let handler = Mutex<@Sendable (_ text: String) -> Never>({ fatalError($0) })

extension Engine {
    /// The end of a program in which an engine finds no memory, given the reason in words; by default it traps with
    /// them.
    ///
    /// A step without its memory cannot go on, and the callers of an engine's functions could only end, too. Set it
    /// once, before there is an engine.
    public static var onOutOfMemory: @Sendable (_ text: String) -> Never {
        get { handler.withLock { $0 } }
        set { handler.withLock { $0 = newValue } }
    }
}

/// Ends the program by `Engine.onOutOfMemory`.
func outOfMemory(_ bytes: Int, beside inUse: Int) -> Never {
    Engine.onOutOfMemory(
        "the system has no \(bytes >> 20) MiB more for activations, beside \(inUse >> 20) MiB in use; smaller crops, "
            + "micro-batches or tiles need less")
}
