import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct WeightsCommandTests {
    /// A run of one step, held-out fold 4, with the other preset's anchors.
    private func withRun(_ body: (_ directory: String, _ run: String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let (scans, patches, run) = ("\(directory)/scans", "\(directory)/patches", "\(directory)/run")
            let phantoms = try LunaProcess("phantom", "--output", scans, "--scans", "5", "--size", "64")
            try #require(phantoms.status == 0, "\(phantoms.diagnosis)")
            let convert = try LunaProcess(
                "convert", "--input", scans, "--output", patches, "--crop-size", "32", "--jitter", "4")
            try #require(convert.status == 0, "\(convert.diagnosis)")
            let settings = [
                "preset=dsb2017", "crop_size=32", "replicas=1", "epochs=1", "steps_per_epoch=1", "validation_fold=4",
            ]
            let train = try LunaProcess(
                ["train", "--data", patches, "--run", run] + settings.flatMap { ["--set", $0] })
            try #require(train.status == 0, "\(train.diagnosis)")
            try body(directory, run)
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
            let export = try LunaProcess("weights", "export", "--weights", run, "--output", tensors)
            #expect(export.status == 0, "\(export.diagnosis)")
            let carried = try LunaProcess("weights", "import", "--input", tensors, "--output", back)
            #expect(carried.status == 0, "\(carried.diagnosis)")
            let checkpoint = "\(run)/checkpoints/step-00000001.h5"
            #expect(try model(back) == model(checkpoint))

            // The same numbers, preset and fold, whichever way they are looked at.
            let shown = try [run, tensors, back].map { try LunaProcess("weights", "show", $0) }
            #expect(shown.allSatisfy { $0.status == 0 })
            let tables = shown.map { $0.output.split(separator: "\n").dropFirst(2).joined(separator: "\n") }
            #expect(tables[0] == tables[1] && tables[0] == tables[2])
            #expect(shown[0].output.contains("5383623 parameters"))
            #expect(shown[2].output.contains("preset dsb2017, fold 4 held out"))
            #expect(shown[1].output.contains("anchors_mm 10 30 60"))

            // The weight file does for detection what the run does.
            let found = try [run, back].map { weights in
                let output = "\(directory)/\(weights == run).csv"
                let detect = try LunaProcess(
                    "detect", "--weights", weights, "--input", "\(directory)/patches", "--output", output)
                #expect(detect.status == 0, "\(detect.diagnosis)")
                return try FileContent.bytes(output)
            }
            #expect(found[0] == found[1] && found[0].count > 100)

            let model = "\(directory)/a.onnx"
            let onnx = try LunaProcess("weights", "export", "--weights", back, "--output", model)
            #expect(onnx.status == 0, "\(onnx.diagnosis)")
            let text = String(decoding: try FileContent.bytes(model), as: UTF8.self)
            #expect(text.contains("10 30 60") && text.contains("BatchNormalization"))
        }
    }

    @Test func theFormatMayBeNamed() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("", to: "\(directory)/none.h5")
            let run = try LunaProcess("weights", "export", "--weights", "\(directory)/none.h5", "--output", "a.bin")
            #expect(run.status == 64)
            #expect(run.diagnosis.contains("--format"))
            let strange = try LunaProcess(
                "weights", "export", "--weights", "\(directory)/none.h5", "--output", "a.bin", "--format", "pickle")
            #expect(strange.status == 64)
            let preset = try LunaProcess(
                "weights", "import", "--input", "a", "--output", "\(directory)/b.h5", "--preset", "luna17")
            #expect(preset.status == 64)
        }
    }

    @Test func badInputIsNamedAndLeavesNothing() throws {
        try withTemporaryDirectory { directory in
            let (input, output) = ("\(directory)/a.safetensors", "\(directory)/b.h5")
            let missing = try LunaProcess("weights", "import", "--input", input, "--output", output)
            #expect(missing.status == 65 && missing.diagnosis.contains(input))
            // What a pickled checkpoint begins with.
            try AtomicFile.write(Array("PK\u{3}\u{4}\0\0\u{8}\u{8}archive/data.pkl".utf8), to: input)
            let pickled = try LunaProcess("weights", "import", "--input", input, "--output", output)
            #expect(pickled.status == 65 && pickled.diagnosis.contains("convert_checkpoint.py"))
            #expect(try FileContent.names(inDirectory: directory) == ["a.safetensors"])
            let nowhere = try LunaProcess("weights", "show", "\(directory)/none.h5")
            #expect(nowhere.status == 65 && nowhere.diagnosis.contains("none.h5"))
        }
    }
}
