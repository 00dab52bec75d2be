import Foundation
import TestSupport
import Testing

@testable import FileIO

/// What stands at a path before it is written to, and what stands there afterwards.
@Suite struct DestinationTests {
    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    private func kind(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private func text(_ path: String) throws -> String { String(decoding: try FileContent.bytes(path), as: UTF8.self) }

    @Test(arguments: ["target.csv", "./target.csv", "folder/../target.csv", "second", "absolute"])
    func linksStayAndTheirTargetIsReplaced(target: String) throws {
        try withTemporaryDirectory { directory in
            try FileContent.makeDirectory("\(directory)/folder")
            try AtomicFile.write("old", to: "\(directory)/target.csv")
            try link("\(directory)/second", to: "target.csv")
            try link("\(directory)/absolute", to: "\(directory)/target.csv")
            try link("\(directory)/link", to: target)
            try AtomicFile.write("new", to: "\(directory)/link")
            #expect(kind("\(directory)/link") == S_IFLNK)
            #expect(try text("\(directory)/target.csv") == "new")
            try AtomicFile.replace("\(directory)/link", with: Array("newer".utf8))
            #expect(try text("\(directory)/target.csv") == "newer")
            let names = try FileContent.names(inDirectory: directory)
            #expect(names == ["absolute", "folder", "link", "second", "target.csv"])
        }
    }

    @Test func aLinkToNothingMakesItsTarget() throws {
        try withTemporaryDirectory { directory in
            try FileContent.makeDirectory("\(directory)/results")
            try link("\(directory)/link", to: "results/new.csv")
            try AtomicFile.write("text", to: "\(directory)/link")
            #expect(kind("\(directory)/link") == S_IFLNK)
            #expect(try text("\(directory)/results/new.csv") == "text")
        }
    }

    @Test func linksInACircleDirectoriesAndNothingAreRefused() throws {
        try withTemporaryDirectory { directory in
            try link("\(directory)/a", to: "b")
            try link("\(directory)/b", to: "a")
            try link("\(directory)/up", to: ".")
            for path in ["\(directory)/a", directory, "\(directory)/up", "\(directory)/none/x.csv", ""] {
                #expect(throws: FileError.self, "\(path)") { try AtomicFile.write("text", to: path) }
            }
            #expect(try FileContent.names(inDirectory: directory) == ["a", "b", "up"])
        }
    }

    @Test func aPipeIsWrittenInto() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            // Open for both, so that neither end waits for the other.
            let pipe = open(path, O_RDWR)
            defer { close(pipe) }
            try AtomicFile.write("through the pipe", to: path)
            try AtomicFile.write(to: path, isSequential: true) { #expect($0 == path) }
            var bytes = [UInt8](repeating: 0, count: 100)
            let count = read(pipe, &bytes, bytes.count)
            #expect(String(decoding: bytes[..<max(0, count)], as: UTF8.self) == "through the pipe")
            #expect(kind(path) == S_IFIFO)
            #expect { try AtomicFile.write(to: path) { _ in Issue.record("written") } } throws: {
                ($0 as? FileError)?.reason.contains("no regular file") == true
            }
        }
    }

    @Test func devicesStayWhatTheyAre() throws {
        try AtomicFile.write("gone", to: "/dev/null")
        #expect(kind("/dev/null") == S_IFCHR)
        #expect { try AtomicFile.write("text", to: "/dev/full") } throws: {
            ($0 as? FileError)?.reason == "No space left on device"
        }
        #expect(kind("/dev/full") == S_IFCHR)
    }

    /// `luna … --output /dev/stdout >> file` must not begin anew.
    @Test(arguments: ["/dev/fd", "/proc/self/fd"])
    func anOpenFileIsGoneOnWith(directory descriptors: String) throws {
        try withTemporaryDirectory { directory in
            let descriptor = open("\(directory)/file", O_WRONLY | O_CREAT, 0o644)
            defer { close(descriptor) }
            #expect(write(descriptor, "before ", 7) == 7)
            try AtomicFile.write("after", to: "\(descriptors)/\(descriptor)")
            #expect(try text("\(directory)/file") == "before after")
            #expect(try FileContent.names(inDirectory: directory) == ["file"])
            #expect(try Destination("\(descriptors)/\(descriptor)") == .descriptor(descriptor))
        }
    }

    /// A list of patients that only its owner may read stays so.
    @Test func permissionsStay() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/private.csv"
            try AtomicFile.write("old", to: path)
            try #require(chmod(path, 0o600) == 0)
            try AtomicFile.write("new", to: path)
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(try text(path) == "new")
        }
    }

    @Test func whatIsOpenForReadingIsNotWritten() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("kept", to: "\(directory)/file")
            let descriptor = open("\(directory)/file", O_RDONLY)
            defer { close(descriptor) }
            #expect(throws: FileError.self) { try AtomicFile.write("text", to: "/dev/fd/\(descriptor)") }
            #expect(throws: FileError.self) { try AtomicFile.write("text", to: "/dev/fd/99999") }
            #expect(try text("\(directory)/file") == "kept")
        }
    }

    @Test func theStandardOutputIsKnown() throws {
        #expect(try OutputPlan.isStandardOutput("/dev/stdout"))
        #expect(try OutputPlan.isStandardOutput("/dev/fd/1"))
        try withTemporaryDirectory { directory in
            #expect(try !OutputPlan.isStandardOutput("\(directory)/file"))
            try link("\(directory)/link", to: "/dev/stdout")
            #expect(try OutputPlan.isStandardOutput("\(directory)/link"))
        }
    }
}
