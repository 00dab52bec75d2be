import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A request from outside that the run ends soon and can be resumed: SIGTERM, SIGINT or SIGUSR1.
public enum StopRequest {
    private static let flag = Atomic<Bool>(false)

    /// Whether this process was asked to stop.
    public static var isMade: Bool { flag.load(ordering: .relaxed) }

    /// Asks this process to stop, as a signal would.
    public static func make() { flag.store(true, ordering: .relaxed) }

    /// Turns the signals into requests. A second SIGINT ends the process as usual.
    public static func listen() {
        _ = isMade  // initialised before a handler needs it
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGTERM, SIGUSR1, SIGINT] { sigaddset(&wanted, number) }
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)  // whatever the launcher left blocked
        for number in [SIGTERM, SIGUSR1] { signal(number) { _ in StopRequest.make() } }
        signal(SIGINT) { _ in
            StopRequest.make()
            signal(SIGINT, SIG_DFL)
        }
    }
}
