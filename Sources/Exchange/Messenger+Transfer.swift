import MPI

extension Messenger {
    /// Sends messages, receives others, and returns when all are there; between looks at them the core is free.
    ///
    /// - Parameters:
    ///   - sends: The messages to other ranks.
    ///   - receives: The messages from other ranks, with room for their bytes.
    ///   - tag: A number that `start` takes; the other side gives the same.
    /// - Throws: `MPIError`.
    public func transfer(sends: [Message] = [], receives: [Message] = [], tag: Int) throws(MPIError) {
        let transfer = try start(sends: sends, receives: receives, tag: tag)
        var pause = Pause.awaited
        while try !transfer.isDone() { pause.take() }
    }
}
