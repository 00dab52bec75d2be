import FileIO
import TestSupport
import Testing

@Suite(.runsPrograms) struct PhantomCommandTests {
    @Test func refusesADirectoryThatHoldsSomething() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("precious", to: "\(directory)/notes.txt")
            let run = try luna("phantom", "--output", directory)
            #expect(run.status == 64)
            #expect(run.diagnosis.contains("not empty"))
            #expect(try FileContent.names(inDirectory: directory) == ["notes.txt"])
        }
    }

    @Test(arguments: [
        ["--scans", "0"], ["--size", "1000"], ["--seed", "-1"], ["--scans", "two"], ["--style", "harder"],
    ])
    func refusesWhatIsOutOfRange(_ options: [String]) throws {
        try withTemporaryDirectory { directory in
            let run = try luna("phantom", "--output", "\(directory)/out", options[0], options[1])
            #expect(run.status == 64)
            #expect(try FileContent.names(inDirectory: directory).isEmpty)
        }
    }

    @Test func namesTheDirectoryThatCannotBeMade() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("a file", to: "\(directory)/file")
            let run = try luna("phantom", "--output", "\(directory)/file/out")
            #expect(run.status == 74)
            #expect(run.diagnosis.contains("\(directory)/file"))
        }
    }
}
