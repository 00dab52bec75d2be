import FileIO
import Foundation
import TestSupport
import Testing

/// How the scripts in Python end where something is wrong: in one line, with luna's statuses, and with all files as
/// they were.
@Suite(.runsPrograms, .enabled(if: ProgramRun.has("python3"))) struct PythonScriptTests {
    private static let python = ProcessInfo.processInfo.environment["LUNA_PYTHON"] ?? "python3"
    static let hasTorch = ReferencePython.has("torch", "safetensors")

    private func convert(_ arguments: String...) throws -> ProgramRun {
        try script(Self.python, ["scripts/convert_checkpoint.py"] + arguments)
    }

    private func expectOneLine(_ run: ProgramRun, _ status: Int32, _ text: String) {
        #expect(run.status == status && run.diagnosis.contains(text), "\(run.diagnosis)")
        #expect(run.diagnosis.hasPrefix("convert_checkpoint.py: ") && run.output.isEmpty, "\(run.diagnosis)")
        #expect(run.diagnosis.split(separator: "\n").count == 1, "\(run.diagnosis)")
    }

    /// Outputs are judged before anything is read, by what they are and not by their names.
    @Test(arguments: [
        ("weights.ckpt", "would overwrite"), ("./folder/../weights.ckpt", "would overwrite"),
        ("link", "would overwrite"), ("twin", "would overwrite"), ("folder", "directory or device"),
        ("/dev/null", "directory or device"), ("pipe", "directory or device"), ("", "name is empty"),
        ("nowhere/a.safetensors", "no directory"),
    ]) func outputsThatWouldDestroySomethingAreRefused(_ output: String, _ text: String) throws {
        try withTemporaryDirectory { directory in
            let input = "\(directory)/weights.ckpt", files = FileManager.default
            try AtomicFile.write("not weights", to: input)
            try files.createDirectory(atPath: "\(directory)/folder", withIntermediateDirectories: true)
            try files.createSymbolicLink(atPath: "\(directory)/link", withDestinationPath: "weights.ckpt")
            try files.linkItem(atPath: input, toPath: "\(directory)/twin")
            mkfifo("\(directory)/pipe", 0o600)
            let before = try files.contentsOfDirectory(atPath: directory).sorted()
            let path = output.isEmpty || output.hasPrefix("/") ? output : "\(directory)/\(output)"
            expectOneLine(try convert(input, path), 64, text)
            #expect(try String(contentsOfFile: input, encoding: .utf8) == "not weights")
            #expect(try files.contentsOfDirectory(atPath: directory).sorted() == before)
        }
        #expect(try script("test", ["-c", "/dev/null"]).status == 0)
    }

    @Test(arguments: [([String](), "required"), (["a"], "required"), (["a", "b", "c"], "unrecognized arguments: c")])
    func wrongUseIsNamed(_ arguments: [String], _ text: String) throws {
        expectOneLine(try script(Self.python, ["scripts/convert_checkpoint.py"] + arguments), 64, text)
    }

    /// What is no checkpoint, by its bytes.
    @Test(
        .enabled(if: hasTorch),
        arguments: [
            ("", "is empty"),
            ("version https://git-lfs.github.com/spec/v1\n", "is not a checkpoint of PyTorch, or damaged"),
            ("<!DOCTYPE html>\n", "is not a checkpoint"), ("PK\u{3}\u{4}\u{14}\u{0}", "is not a checkpoint"),
            ("(", "is not a checkpoint"), ("}.", "is not a checkpoint"), ("(lp0\n.", "is not a checkpoint"),
        ]) func whatIsNoCheckpointIsNamed(_ content: String, _ text: String) throws
    {
        try withTemporaryDirectory { directory in
            let input = "\(directory)/weights.ckpt"
            try AtomicFile.write(content, to: input)
            expectOneLine(try convert(input, "\(directory)/out"), 65, "\(input): \(text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["weights.ckpt"])
            expectOneLine(try convert("\(directory)/none", "\(directory)/out"), 65, "none: No such file")
            expectOneLine(try convert(directory, "\(directory)/out"), 65, "\(directory): is a directory")
        }
    }

    /// What PyTorch has written, but for another purpose, or lost its end.
    @Test(
        .enabled(if: hasTorch),
        arguments: [
            ("torch.save([1, 2], path)", "holds no state_dict"), ("torch.save({}, path)", "its state_dict is empty"),
            ("torch.save({'state_dict': {1: torch.zeros(1)}}, path)", "holds no state_dict"),
            ("torch.save(torch.nn.Linear(2, 2), path)", "would run code of its own (torch.nn.modules.linear.Linear)"),
            ("torch.save({'a': torch.zeros(2, 2).to_sparse()}, path)", "is not a state_dict of ordinary tensors"),
            ("torch.save({'a': torch.zeros(2, dtype=torch.complex128)}, path)", "is not what safetensors can hold"),
            ("torch.save({'a': torch.zeros(9)}, path); cut(0.5)", "is not a checkpoint"),
            ("torch.save({'a': torch.zeros(9)}, path); cut(0.99)", "is not a checkpoint"),
            (
                "torch.save({'a': torch.zeros(9)}, path, _use_new_zipfile_serialization=False); cut(0.5)",
                "is not a checkpoint"
            ),
            (
                "torch.save({'a': torch.zeros(9)}, path, _use_new_zipfile_serialization=False); cut(0.99)",
                "is not a checkpoint"
            ),
        ]) func whatHoldsNoWeightsIsNamed(_ code: String, _ text: String) throws
    {
        try withTemporaryDirectory { directory in
            let input = "\(directory)/weights.ckpt"
            let program = """
                import os, sys, torch
                path = sys.argv[1]
                def cut(share): os.truncate(path, int(os.path.getsize(path) * share))
                \(code)
                """
            let made = try script(Self.python, ["-c", program, input])
            #expect(made.status == 0, "\(made.diagnosis)")
            expectOneLine(try convert(input, "\(directory)/out"), 65, "\(input): \(text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["weights.ckpt"])
        }
    }

    /// A link is followed, and what was there is replaced only by the whole.
    @Test(.enabled(if: hasTorch)) func aLinkedOutputIsWritten() throws {
        try withTemporaryDirectory { directory in
            let (input, link) = ("\(directory)/weights.ckpt", "\(directory)/link")
            let program = "import sys, torch; torch.save({'module.a': torch.arange(3.)}, sys.argv[1])"
            #expect(try script(Self.python, ["-c", program, input]).status == 0)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "out")
            let run = try convert(input, link)
            #expect(run.status == 0 && run.output == "1 tensors: \(link)\n", "\(run.diagnosis)")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "out")
            let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            #expect(names == ["link", "out", "weights.ckpt"])
        }
    }
}
