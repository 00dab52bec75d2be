import FileIO
import Foundation
import TestSupport
import Testing

/// Outputs that would destroy an input, or cannot be written.
@Suite struct OutputPlanTests {
    /// A directory with a scan, links to it, a data set and a run.
    private func withFiles(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            for folder in ["data/shards", "run/checkpoints", "empty"] {
                try FileContent.makeDirectory("\(directory)/\(folder)")
            }
            for file in ["scan.nii.gz", "data/shards/fold0.h5", "data/own.csv", "run/config.yaml", "other.csv"] {
                try AtomicFile.write("content", to: "\(directory)/\(file)")
            }
            let manager = FileManager.default
            try manager.linkItem(atPath: "\(directory)/scan.nii.gz", toPath: "\(directory)/hard")
            try manager.createSymbolicLink(atPath: "\(directory)/soft", withDestinationPath: "scan.nii.gz")
            try manager.createSymbolicLink(atPath: "\(directory)/data-link", withDestinationPath: "data")
            try manager.createSymbolicLink(atPath: "\(directory)/data/loop", withDestinationPath: "..")
            try body(directory)
        }
    }

    private func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "accepted"
        } catch let error as UsageError {
            return error.description
        } catch { return "another error: \(error)" }
    }

    @Test(arguments: ["scan.nii.gz", "./scan.nii.gz", "empty/../scan.nii.gz", "hard", "soft"])
    func anInputIsNoOutputByAnyName(name: String) throws {
        try withFiles { directory in
            for input in ["scan.nii.gz", "soft", "hard"] {
                var plan = OutputPlan()
                plan.read("\(directory)/none", as: "--weights")
                plan.read("\(directory)/\(input)", as: "--input")
                let text = refusal { try plan.write(file: "\(directory)/\(name)", as: "--output") { _ in true } }
                #expect(text.hasPrefix("--output \(directory)/\(name) is the file that --input"), "\(text)")
            }
        }
    }

    @Test(arguments: ["data", "data-link", "data/"])
    func aFileOfADirectoryOfInputsIsNoOutput(input: String) throws {
        try withFiles { directory in
            var plan = OutputPlan()
            plan.read("\(directory)/\(input)", as: "--data")
            for name in ["data/shards/fold0.h5", "data-link/shards/fold0.h5", "data/own.csv"] {
                let text = refusal { try plan.write(file: "\(directory)/\(name)", as: "--output") }
                #expect(text.contains("is a file of --data"), "\(text)")
            }
            #expect(refusal { try plan.write(file: "\(directory)/data/new.csv", as: "--output") } == "accepted")
            // What an earlier run has left there may be replaced.
            #expect(
                refusal {
                    try plan.write(file: "\(directory)/data/own.csv", as: "--output") { $0.hasSuffix(".csv") }
                } == "accepted")
        }
    }

    @Test func whatCannotBeAFileIsRefused() throws {
        try withFiles { directory in
            var plan = OutputPlan()
            #expect(refusal { try plan.write(file: "", as: "--output") } == "--output is empty: name a file")
            for name in ["empty", "empty/", "new/", "data-link"] {
                let text = refusal { try plan.write(file: "\(directory)/\(name)", as: "--output") }
                #expect(text.hasSuffix("is a directory: name a file"), "\(text)")
            }
            for name in ["none/x.csv", "other.csv/x.csv"] {
                #expect(throws: FileError.self) { try plan.write(file: "\(directory)/\(name)", as: "--output") }
            }
            #expect(refusal { try plan.write(file: nil, as: "--timeline") } == "accepted")
            #expect(refusal { try plan.write(file: "\(directory)/other.csv", as: "--output") } == "accepted")
        }
    }

    @Test func aDeviceTakesWhatIsWrittenFromFrontToBack() throws {
        var plan = OutputPlan()
        plan.read("/dev/null", as: "--input")
        #expect(refusal { try plan.write(file: "/dev/null", as: "--output") } == "accepted")
        #expect(refusal { try plan.write(file: "/dev/stdout", as: "--output") } == "accepted")
        #expect(throws: FileError("/dev/null", "write", reason: "it is no regular file, which this format needs")) {
            try plan.write(file: "/dev/null", as: "--output", form: .file)
        }
    }

    @Test func whatCannotBeADirectoryIsRefused() throws {
        try withFiles { directory in
            var plan = OutputPlan()
            plan.read("\(directory)/data/own.csv", as: "--candidates")
            #expect(refusal { try plan.write(directory: "", as: "--run") } == "--run is empty: name a directory")
            #expect(
                refusal { try plan.write(directory: "\(directory)/other.csv", as: "--pictures") }
                    == "--pictures \(directory)/other.csv is no directory: name a directory")
            #expect(throws: FileError.self) { try plan.write(directory: "\(directory)/other.csv/a/b", as: "--run") }
            #expect(
                refusal { try plan.write(directory: "\(directory)/data", as: "--output", files: ["own.csv"]) }.contains(
                    "is the file that --candidates"))
            #expect(
                refusal { try plan.write(directory: "\(directory)/data", as: "--output", files: ["shards"]) }.contains(
                    "data/shards is a directory"))
            #expect(refusal { try plan.write(directory: "\(directory)/a/b/c", as: "--output") } == "accepted")
        }
    }

    @Test(arguments: ["data", "data/", "data-link", "data/new", "data/shards/a/b", "data/loop/data"])
    func aRunDoesNotLieInItsData(run: String) throws {
        try withFiles { directory in
            var plan = OutputPlan()
            let text = refusal {
                try plan.write(
                    directory: "\(directory)/\(run)", as: "--run", outside: ("\(directory)/data", "--data"))
            }
            #expect(text.contains(" --data \(directory)/data, which must stay as it is"), "\(text)")
            #expect(
                refusal {
                    try plan.write(
                        directory: "\(directory)/run", as: "--run", outside: ("\(directory)/data", "--data"))
                } == "accepted")
        }
    }

    @Test func twoOutputsAreTwoFiles() throws {
        try withFiles { directory in
            var plan = OutputPlan()
            try plan.write(file: "\(directory)/new", as: "--output")
            for name in ["new", "empty/../new"] {
                #expect(refusal { try plan.write(directory: "\(directory)/\(name)", as: "--pictures") }.contains("too"))
                #expect(refusal { try plan.write(file: "\(directory)/\(name)", as: "--timeline") }.contains("too"))
            }
            try plan.write(directory: "\(directory)/run", as: "--run", files: ["metrics.jsonl"])
            #expect(
                refusal { try plan.write(file: "\(directory)/run/metrics.jsonl", as: "--timeline") }.contains("--run"))
        }
    }

    @Test func inputsDoNotLieWhereStrangersAreRemoved() throws {
        try withFiles { directory in
            func refused(_ input: String) -> Bool {
                refusal {
                    try OutputPlan.requireOutside("\(directory)/data/shards", of: "--output", input, "--input")
                } != "accepted"
            }
            #expect(refused("\(directory)/data/shards/fold0.h5") && refused("\(directory)/data/shards"))
            #expect(!refused("\(directory)/data/own.csv") && !refused("\(directory)/none"))
        }
    }
}
