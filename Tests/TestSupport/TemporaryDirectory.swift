import Foundation
import Synchronization

/// Runs `body` with the path of a fresh directory, and removes it afterwards.
public func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = try makeTemporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// Makes a directory that is removed when this process exits, for what many tests share.
///
/// - Returns: Its path.
public func makeSharedDirectory() throws -> String {
    let path = try makeTemporaryDirectory()
    SharedDirectories.add(path)
    return path
}

private func makeTemporaryDirectory() throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("luna-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

private enum SharedDirectories {
    private static let paths = Mutex<[String]>([])
    private static let isRegistered: Void = {
        _ = atexit { SharedDirectories.removeAll() }
    }()

    static func add(_ path: String) {
        paths.withLock { $0.append(path) }
        isRegistered
    }

    static func removeAll() {
        for path in paths.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
    }
}
