import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

@Suite(.runsPrograms) struct WeightsCommandTests {
    /// A run of one step, held-out fold 3, with the other preset's anchors.
    private func withRun(_ body: (_ directory: String, _ run: TinyRun) throws -> Void) throws {
        let settings = [
            "preset": "dsb2017", "replicas": "1", "epochs": "1", "steps_per_epoch": "1", "validation_fold": "3",
            "output_prior": "null",
        ]
        try withTinyRuns(settings) { runs in
            let run = runs.run()
            let trained = try luna(run.train())
            try #require(trained.status == 0, "\(trained.diagnosis)")
            try body(runs.directory, run)
        }
    }

    private func model(_ path: String) throws -> [String: [Float]] {
        let file = try HDF5File(reading: path)
        let names = try file.names(in: "/model")
        let values = try names.map { try file.read("/model/\($0)", as: Float.self).values }
        return Dictionary(uniqueKeysWithValues: zip(names, values))
    }

    @Test func weightsTravelAndComeBack() throws {
        try withRun { directory, run in
            let (tensors, back) = ("\(directory)/a.safetensors", "\(directory)/back.h5")
            let export = try luna("weights", "export", "--weights", run.path, "--output", tensors)
            #expect(export.status == 0, "\(export.diagnosis)")
            let carried = try luna("weights", "import", "--input", tensors, "--output", back)
            #expect(carried.status == 0, "\(carried.diagnosis)")
            #expect(try model(back) == model(run.checkpoint(1)))

            // The same numbers, preset and fold, whichever way they are looked at.
            let shown = try [run.path, tensors, back].map { try luna("weights", "show", $0) }
            #expect(shown.allSatisfy { $0.status == 0 })
            let tables = shown.map { $0.output.split(separator: "\n").dropFirst(2).joined(separator: "\n") }
            #expect(tables[0] == tables[1] && tables[0] == tables[2])
            #expect(shown[0].output.contains("5383623 parameters"))
            #expect(shown[2].output.contains("preset dsb2017, fold 3 held out"))
            #expect(shown[1].output.contains("anchors_mm 10 30 60"))

            // The weight file does for detection what the run does.
            let found = try [run.path, back].map { weights in
                let output = "\(directory)/\(weights == run.path).csv"
                let detect = try luna(
                    "detect", "--weights", weights, "--input", run.data, "--output", output)
                #expect(detect.status == 0, "\(detect.diagnosis)")
                return try FileContent.bytes(output)
            }
            #expect(found[0] == found[1] && found[0].count > 100)

            let model = "\(directory)/a.onnx"
            let onnx = try luna("weights", "export", "--weights", back, "--output", model)
            #expect(onnx.status == 0, "\(onnx.diagnosis)")
            // Bytes: most of the file is no text.
            let content = Data(try FileContent.bytes(model))
            for text in ["10 30 60", "BatchNormalization"] {
                #expect(content.range(of: Data(text.utf8)) != nil, "\(text)")
            }
        }
    }

    @Test func theFormatMayBeNamed() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("", to: "\(directory)/none.h5")
            let run = try luna("weights", "export", "--weights", "\(directory)/none.h5", "--output", "a.bin")
            #expect(run.status == 64)
            #expect(run.diagnosis.contains("--format"))
            let strange = try luna(
                "weights", "export", "--weights", "\(directory)/none.h5", "--output", "a.bin", "--format", "pickle")
            #expect(strange.status == 64)
            let preset = try luna(
                "weights", "import", "--input", "a", "--output", "\(directory)/b.h5", "--preset", "luna17")
            #expect(preset.status == 64)
        }
    }

    @Test func badInputIsNamedAndLeavesNothing() throws {
        try withTemporaryDirectory { directory in
            let (input, output) = ("\(directory)/a.safetensors", "\(directory)/b.h5")
            let missing = try luna("weights", "import", "--input", input, "--output", output)
            #expect(missing.status == 65 && missing.diagnosis.contains(input))
            // What a pickled checkpoint begins with.
            try AtomicFile.write(Array("PK\u{3}\u{4}\0\0\u{8}\u{8}archive/data.pkl".utf8), to: input)
            let pickled = try luna("weights", "import", "--input", input, "--output", output)
            #expect(pickled.status == 65 && pickled.diagnosis.contains("convert_checkpoint.py"))
            #expect(try FileContent.names(inDirectory: directory) == ["a.safetensors"])
            let nowhere = try luna("weights", "show", "\(directory)/none.h5")
            #expect(nowhere.status == 65 && nowhere.diagnosis.contains("none.h5"))
        }
    }
}
