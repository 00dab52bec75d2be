import FileIO
import Foundation
import TestSupport
import Testing

@Suite(.runsPrograms) struct EnsembleTests {
    /// Two networks of two architectures, which have learnt next to nothing.
    @Test func severalNetworks() throws {
        let settings = ["epochs": "1", "steps_per_epoch": "2", "output_prior": "null", "replicas": "1"]
        try withTinyRuns(settings) { runs in
            let (one, other, directory) = (runs.run("one"), runs.run("other"), runs.directory)
            for (run, network) in [(one, []), (other, ["network=nodule-net-gn"])] {
                let trained = try luna(run.train() + network.flatMap { ["--set", $0] })
                try #require(trained.status == 0, "\(trained.diagnosis)")
            }
            func detect(_ weights: [String], _ input: String, _ output: String, _ options: String...) -> [String] {
                ["detect"] + weights.flatMap { ["--weights", $0] }
                    + ["--input", input, "--output", "\(directory)/\(output)"] + options
            }
            func content(_ output: String) throws -> [UInt8] { try FileContent.bytes("\(directory)/\(output)") }

            // The fold that both hold out; one that both have learnt; the same bits by several ranks.
            let both = [one.path, other.path]
            let held = try luna(detect(both, runs.data, "held.csv", "--overlap", "0.05"))
            #expect(held.status == 0 && held.diagnosis.contains("with 2 networks: "), "\(held.diagnosis)")
            #expect(try content("held.csv").count > 1000)
            let learnt = try luna(detect(both, runs.data, "learnt.csv", "--fold", "2"))
            #expect(learnt.diagnosis.components(separatedBy: "was trained on fold 2").count == 3)
            let all = try luna(detect(both, runs.tiny.phantoms, "all.csv"))
            let shared = try mpirun(ranks: 3, detect(both, runs.tiny.phantoms, "shared.csv", "--threads", "1"))
            #expect(all.status == 0 && shared.status == 0, "\(all.diagnosis)\(shared.diagnosis)")
            #expect(try content("shared.csv") == content("all.csv"))

            // What was found goes on with the same networks in the same order, and with no others.
            let (first, second) = (try runs.tiny.scans(fold: 0), try runs.tiny.scans(fold: 1))
            let scans = "\(directory)/scans"
            try FileManager.default.createDirectory(atPath: "\(scans)/subset0", withIntermediateDirectories: true)
            for (fold, name) in [(0, first[0]), (1, second[0])] {
                for suffix in ["mhd", "raw"] {
                    try FileManager.default.copyItem(
                        atPath: "\(runs.tiny.phantoms)/subset\(fold)/\(name).\(suffix)",
                        toPath: "\(scans)/subset0/\(name).\(suffix)")
                }
            }
            try AtomicFile.write("cut off", to: "\(scans)/subset0/\(first[0]).raw")
            for (weights, isKnown) in [(both, false), (both, true), (both.reversed(), false), ([both[0]], false)] {
                let found = try luna(detect(weights, scans, "some.csv"))
                #expect(found.status == 65, "\(found.diagnosis)")
                #expect(found.diagnosis.contains("1 of 2 scans were searched before") == isKnown, "\(weights)")
            }

            // Refused before any work: copies of one network, outputs over an input, constants that differ.
            let copy = "\(directory)/copy.h5"
            try FileManager.default.copyItem(atPath: one.checkpoint(2), toPath: copy)
            let tensors = "\(directory)/other.safetensors"
            let imported = "\(directory)/imported.h5"
            try #require(try luna("weights", "export", "--weights", copy, "--output", tensors).status == 0)
            let named = try luna("weights", "import", "--input", tensors, "--output", imported, "--preset", "dsb2017")
            try #require(named.status == 0, "\(named.diagnosis)")
            let refusals: [([String], Int32, String)] = [
                (detect([one.path, other.path, copy], runs.data, "x.csv"), 64, "hold the same weights (digest "),
                (detect([one.path, one.latest], runs.data, "x.csv"), 64, "name each network once"),
                (detect([other.path, copy], runs.data, "copy.h5"), 64, "would replace"),
                (detect([other.path, imported], runs.data, "x.csv", "--preset", "luna16"), 65, "has preset dsb2017"),
                (detect([other.path, imported], runs.data, "x.csv"), 65, "join networks of one preset"),
                (detect(both, runs.data, "x.csv", "--overlap", "0"), 64, "--overlap is 0.01 to 1"),
            ]
            for (arguments, status, words) in refusals {
                let run = try luna(arguments)
                #expect(run.status == status && run.diagnosis.contains(words), "\(arguments): \(run.diagnosis)")
            }
            #expect(FileContent.size("\(directory)/x.csv") == nil)
        }
    }
}
