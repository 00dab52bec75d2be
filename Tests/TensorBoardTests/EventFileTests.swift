import FileIO
import Foundation
import Pictures
import TestSupport
import Testing

@testable import TensorBoard

@Suite struct EventFileTests {
    /// Of all files in the directory's order: step and tags.
    private func events(_ directory: String) throws -> [EventSummary] {
        try FileContent.names(inDirectory: directory).flatMap { name in
            let bytes = try FileContent.bytes("\(directory)/\(name)")
            return try RecordFile.records(in: bytes).map { try #require(EventSummary($0.content)) }
        }
    }

    private func steps(_ directory: String, _ tag: String) throws -> [Int] {
        try events(directory).filter { $0.tags.contains(tag) }.map(\.step)
    }

    /// Steps `first` to `last`, a validation at every fifth, a text at the beginning.
    private func write(_ directory: String, resuming step: Int, until last: Int, owed: Bool = false) throws -> String {
        let log = try EventFile(
            directory: directory, keepingUpTo: step, wallTime: 1_000_000 + Double(last),
            isOwed: { owed && $0.hasPrefix("validation/") })
        if step < 0 { try log.append(markdown: "    seed: 3", tag: "configuration", step: 0, wallTime: 1) }
        if owed { try log.append(0.5, tag: "validation/loss", step: step, wallTime: 9) }
        for step in max(1, step + 1)...last {
            try log.append([("loss", 1 / Double(step)), ("rate", 0.01)], step: step, wallTime: Double(step))
            if step % 5 == 0 { try log.append(0.5, tag: "validation/loss", step: step, wallTime: Double(step)) }
        }
        try log.flush()
        return log.path
    }

    @Test func aResumedRunShowsEveryStepOnce() throws {
        try withTemporaryDirectory { directory in
            let directory = "\(directory)/run/tensorboard"
            let first = try write(directory, resuming: -1, until: 12)
            #expect(try steps(directory, "loss") == Array(1...12))
            // Killed while it wrote.
            let torn = try FileContent.bytes(first)
            try AtomicFile.write(torn + RecordFile.framed([1, 2, 3]).dropLast(5), to: first)
            let second = try write(directory, resuming: 5, until: 9)
            #expect(second != first)
            #expect(try steps(directory, "loss") == Array(1...9))
            #expect(try steps(directory, "rate") == Array(1...9))
            #expect(try steps(directory, "validation/loss") == [5])
            #expect(try steps(directory, "configuration") == [0])
            #expect(try events(directory).filter(\.isStart).map(\.step) == [6])
            // Again, behind the first file's end; the validation after step 5 is owed.
            _ = try write(directory, resuming: 5, until: 7, owed: true)
            #expect(try steps(directory, "loss") == Array(1...7))
            #expect(try steps(directory, "validation/loss") == [5])
            // What held nothing else is gone.
            #expect(FileContent.size(second) == nil)
            // A run that starts afresh keeps nothing, the configuration neither.
            _ = try write(directory, resuming: -1, until: 2)
            #expect(try steps(directory, "loss") == [1, 2])
            #expect(try steps(directory, "configuration") == [0])
            #expect(try FileContent.names(inDirectory: directory).count == 1)
        }
    }

    @Test func theSameCallsGiveTheSameBytes() throws {
        try withTemporaryDirectory { directory in
            let paths = try ["a", "b"].map { try write("\(directory)/\($0)", resuming: -1, until: 3) }
            #expect(try FileContent.bytes(paths[0]) == FileContent.bytes(paths[1]))
        }
    }

    /// Also within a second, with a clock that was set back, and beside files of others.
    @Test func aLaterFileHasALaterName() throws {
        try withTemporaryDirectory { directory in
            let strange = ["events.out.tfevents.9223372036854775807.x", "events.out.tfevents", "a.tfevents.-5"]
            for name in strange {
                let event = Event(wallTime: 0, content: .values([.scalar(tag: "kept", 1)]))
                try AtomicFile.write(RecordFile.framed(event.encoded), to: "\(directory)/\(name)")
            }
            let paths = try [999_999_999.5, 1_000_000_000.2, 1_000_000_000.7, 17, .nan].map { time in
                let log = try EventFile(directory: directory, keepingUpTo: 0, wallTime: time)
                try log.append(1, tag: "kept", step: 0, wallTime: 0)
                return log.path
            }
            #expect(zip(paths, paths.dropFirst()).allSatisfy { $0 < $1 })
            let start = "\(directory)/events.out.tfevents."
            #expect(paths[0].hasPrefix(start + "0999999999.") && paths[1].hasPrefix(start + "1000000000."))
            #expect(try steps(directory, "kept").count == 8)
        }
    }

    @Test func otherFilesAreLeftAlone() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("precious", to: "\(directory)/notes.txt")
            _ = try write(directory, resuming: 3, until: 4)
            #expect(try FileContent.bytes("\(directory)/notes.txt") == Array("precious".utf8))
        }
    }

    @Test func whatTheSystemRefusesIsNamed() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("a file", to: "\(directory)/file")
            let error = #expect(throws: FileError.self) {
                try EventFile(directory: "\(directory)/file/log", keepingUpTo: -1, wallTime: 0)
            }
            #expect(error?.file.hasPrefix("\(directory)/file") == true)
        }
    }

    /// TensorBoard's own reader finds what was written, after a kill and a resumption too.
    @Test(.enabled(if: ReferencePython.has("tensorboard")))
    func tensorBoardReadsIt() throws {
        try withTemporaryDirectory { directory in
            let first = try write(directory, resuming: -1, until: 12)
            try AtomicFile.write(try FileContent.bytes(first).dropLast(3), to: first)
            let second = try write(directory, resuming: 5, until: 8)
            let log = try EventFile(directory: directory, keepingUpTo: 8, wallTime: 2_000_000)
            #expect(log.path != second)
            let picture = Picture(width: 30, height: 20, color: Color(1, 2, 3))
            try log.append(picture, tag: "crops", step: 9, wallTime: 4.5)
            struct Found: Decodable {
                var scalars: [String: [[Double]]]
                var images: [String: [[Int]]]
                var texts: [String: [[Text]]]
                enum Text: Decodable, Equatable {
                    case step(Int)
                    case text(String)
                    init(from decoder: any Decoder) throws {
                        let container = try decoder.singleValueContainer()
                        self =
                            try (try? container.decode(Int.self)).map(Self.step)
                            ?? .text(container.decode(String.self))
                    }
                }
            }
            let json = try ReferencePython.run("reference/events.py", directory)
            let found = try JSONDecoder().decode(Found.self, from: Data(json.utf8))
            let loss: [[Double]] = (1...8).map { step in [Double(step), Double(step), Double(Float(1 / Double(step)))] }
            #expect(found.scalars["loss"] == loss)
            #expect(found.scalars["validation/loss"] == [[5, 5, 0.5]])
            #expect(found.images == ["crops": [[9, 30, 20, picture.png().count]]])
            #expect(found.texts == ["configuration": [[.step(0), .text("    seed: 3")]]])
        }
    }
}
