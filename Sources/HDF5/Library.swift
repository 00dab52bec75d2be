import CHDF5
import FileIO
import Foundation

/// The one way into libhdf5: one call at a time in the whole process.
///
/// Thread-safe builds of the library do the same inside; other builds corrupt memory without it. The lock is recursive
/// since handles close while their owner holds it.
enum Library {
    private static let lock = {
        // At exit the library would flush files again whose disk was full, and crash. Owners close what they open.
        H5dont_atexit()
        // Links that lead to other files: what is read must not depend on what else lies on the disk.
        H5Lunregister(luna_h5_external_link())
        return NSRecursiveLock()
    }()

    static func run<Result: ~Copyable>(_ body: () throws -> Result) rethrows -> Result {
        enter()
        defer { leave() }
        return try body()
    }

    /// Takes the lock: for owners of handles, which closures cannot consume.
    static func enter() {
        lock.lock()
        _ = luna_h5_silence()
    }

    static func leave() { lock.unlock() }

    /// Closes an identifier and leaves the error stack as it is: the failure that made the owner give up must still
    /// be readable after its handles are gone.
    static func closeQuietly(_ id: hid_t, _ closer: @convention(c) (hid_t) -> herr_t) {
        lock.lock()
        defer { lock.unlock() }
        let errors = H5Eget_current_stack()
        _ = luna_h5_silence()
        _ = closer(id)
        if errors >= 0 { H5Eset_current_stack(errors) }
    }

    /// The reason for the last failed call, from the error stack: the system's where it was the system, such as a full
    /// disk; otherwise the innermost reason, then the outermost.
    static var reason: String {
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 8192) { buffer -> String in
            luna_h5_error_text(buffer.baseAddress, buffer.count)
            return buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        if let match = text.firstMatch(of: /error message = '([^']+)'/) { return String(match.1) }
        let lines = text.split(separator: "\n").map(String.init)
        guard let inner = lines.first else { return "the HDF5 library gives no reason" }
        guard let outer = lines.last, outer != inner else { return inner }
        return "\(inner) (\(outer))"
    }
}

/// An identifier of the library that is closed exactly once.
struct Handle: ~Copyable, Sendable {
    let id: hid_t
    private let closer: @convention(c) (hid_t) -> herr_t

    /// Takes over `id`, or returns nil where the call that made it failed.
    init?(_ id: hid_t, closedBy closer: @escaping @convention(c) (hid_t) -> herr_t) {
        guard id >= 0 else { return nil }
        self.id = id
        self.closer = closer
    }

    /// Closes now, and returns false where the library reports a failure.
    consuming func close() -> Bool {
        let (id, closer) = (id, closer)
        discard self
        return Library.run { closer(id) >= 0 }
    }

    deinit {
        Library.closeQuietly(id, closer)
    }
}

/// The file that a call works on, and the party at fault when it fails: the file when reading, the system when writing.
struct Site: Sendable {
    let file: String
    let isWriting: Bool

    /// Returns the error for a call that has just failed.
    func failure(_ object: String?, _ operation: String) -> any Error {
        let reason = Library.reason
        if isWriting { return FileError(file, object.map { "\(operation) \($0)" } ?? operation, reason: reason) }
        return InputError(
            file, at: object, "cannot \(operation): \(reason)",
            remedy: "the file is damaged or incomplete: restore it or make it again")
    }

    /// Returns the error for content that is not what was expected.
    func mismatch(_ object: String?, _ problem: String, remedy: String? = nil) -> any Error {
        InputError(file, at: object, problem, remedy: remedy)
    }
}
