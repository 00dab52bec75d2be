import Foundation
import TestSupport

/// A file system of its own, in memory, that is full after some bytes: for root, where the system lets it mount.
final class SmallFileSystem {
    private let path: String

    /// Mounts it over an existing directory.
    init(at path: String, bytes: Int) throws {
        self.path = path
        try Self.run("mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", path)
    }

    func grow(to bytes: Int) throws { try Self.run("mount", "-o", "remount,size=\(bytes)", path) }

    deinit { try? Self.run("umount", path) }

    /// Whether one can be made here.
    static let isPermitted: Bool = {
        guard geteuid() == 0 else { return false }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("luna-test-\(UUID().uuidString)").path
        defer { rmdir(path) }
        return mkdir(path, 0o700) == 0 && (try? SmallFileSystem(at: path, bytes: 1 << 16)) != nil
    }()

    private struct Refusal: Error { let diagnosis: String }

    private static func run(_ program: String, _ arguments: String...) throws {
        let run = try ProgramRun(program, arguments)
        guard run.status == 0 else { throw Refusal(diagnosis: run.diagnosis) }
    }
}
