import Detection
import Exchange
import FileIO
import PatchData
import TestSupport
import Testing

@testable import Training

@Suite struct ConfigurationTests {
    private func read(_ yaml: String, _ overrides: [String] = []) throws -> TrainingConfiguration {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/config.yaml"
            try AtomicFile.write(yaml, to: path)
            return try TrainingConfiguration.read(path, overrides: overrides)
        }
    }

    private func message(_ yaml: String, _ overrides: [String] = []) -> String {
        do {
            _ = try read(yaml, overrides)
            return "accepted"
        } catch let error as InputError {
            return error.description
        } catch { return "another error: \(error)" }
    }

    @Test func presetsAndOverrides() throws {
        #expect(try read("") == TrainingConfiguration())
        let dsb = try read(
            "preset: dsb2017\nreplicas: 4\n", ["epochs=7", "augment.flip=false", "validation_fold=null"])
        #expect(dsb.cropSize == 128 && dsb.epochs == 7 && dsb.replicas == 4)
        #expect(dsb.augment.flip == false && dsb.augment.scale == true && dsb.validationFold == nil)
        #expect(try read("epochs: 3", ["preset=dsb2017"]).cropSize == 128)
    }

    @Test func roundTrips() throws {
        var c = TrainingConfiguration(preset: .dsb2017)
        c.initialWeights = "a \"b\" \\ c.h5"
        c.outputPrior = 0.01
        c.zeroInitResidual = true
        c.regressionWeight = 2.5
        c.synchronizedBatchNorm = true
        c.validationFold = nil
        c.augment.rotate = true
        c.schedule = .cosine
        c.overlap = .off
        c.gradientExchange = .bfloat16
        c.localSteps = 50
        c.sites = 4
        c.outerLearningRate = 0.5
        c.outerMomentum = 0.8
        #expect(try read(c.yaml()) == c)
        #expect(try read(c.yaml(explained: true)) == c)
        #expect(TrainingConfiguration.keys.allSatisfy { "\n\(c.yaml())".contains("\n\($0.name): ") })
    }

    /// The text that runs and checkpoints hold: what was written once is compared with what is written now.
    @Test func theTextStaysAsItIs() throws {
        let standard = """
            preset: luna16
            network: nodule-net
            recipe: published
            optimizer: sgd
            seed: 0
            replicas: 8
            micro_batch: 1
            crop_size: 96
            epochs: 150
            steps_per_epoch: null
            validation_fold: 0
            learning_rate: 0.01
            momentum: 0.9
            weight_decay: 0.0001
            adam_beta1: 0.9
            adam_beta2: 0.999
            adam_epsilon: 1e-08
            dropout: 0.2
            augment: {flip: true, swap: false, rotate: false, scale: true}
            reduction: tree
            gradient_exchange: float32
            overlap: thread
            local_steps: null
            sites: 1
            outer_learning_rate: 0.7
            outer_momentum: 0.9
            threads: null
            checkpoint_every_steps: null
            checkpoint_every_epochs: 1
            keep_checkpoints: 3
            initial_weights: null
            evaluate_every_epochs: null
            evaluate_memory_mib: 1024
            stall_warning_seconds: 60
            stall_limit_seconds: 600
            schedule: preset
            warmup_steps: 0
            output_prior: null
            zero_init_residual: false
            ema: null
            gradient_clip: null
            regression_weight: 1.0
            synchronized_batch_norm: false

            """
        #expect(TrainingConfiguration(preset: .luna16).yaml() == standard)
        let luna = TrainingConfiguration().yaml().split(separator: "\n")
        #expect(
            luna.filter { !standard.contains($0 + "\n") } == [
                "preset: luna", "recipe: dense", "epochs: 100", "schedule: cosine", "warmup_steps: 500",
                "output_prior: 0.01", "zero_init_residual: true",
            ])
        let settings = [
            ("preset: luna16", "preset: dsb2017"), ("crop_size: 96", "crop_size: 128"), ("epochs: 150", "epochs: 100"),
            ("learning_rate: 0.01", "learning_rate: 1e-05"), ("threads: null", "threads: 3"),
            ("validation_fold: 0", "validation_fold: null"), ("flip: true", "flip: false"),
            ("initial_weights: null", #"initial_weights: "a \"b\" \\ \U0000000a.h5""#),
            ("output_prior: null", "output_prior: 0.01"),
        ]
        let changed = settings.reduce(standard) { $0.replacing($1.0, with: $1.1) }
        let other = try read(
            "preset: dsb2017\ninitial_weights: \"a \\\"b\\\" \\\\ \\n.h5\"",
            [
                "learning_rate=0.00001", "threads=3", "validation_fold=null", "augment.flip=false", "output_prior=.01",
            ])
        #expect(other.yaml() == changed)
    }

    @Test func faultsAreNamed() {
        #expect(message("learning_rat: 1").contains("did you mean learning_rate?"))
        #expect(message("seed: 1\nepochs: many").contains("line 2, epochs: many, expected a whole number"))
        #expect(message("crop_size: 50").contains("crop_size: 50, expected a multiple of 16"))
        #expect(message("validation_fold: null\nevaluate_every_epochs: 2").contains("validation_fold is null"))
        #expect(message("", ["momentum=1.5"]).contains("momentum"))
        #expect(message("", ["sites=2", "local_steps=9"]) == "accepted")
        #expect(message("local_steps: 9", ["sites=3"]).hasPrefix("--set sites=3: sites: 3, expected a power of two"))
        #expect(message("sites: 2").contains("sites: 2 needs local_steps"))
        #expect(
            message("sites: 3\nlocal_steps: 9").contains("sites: 3, expected a power of two that divides replicas, 8"))
        #expect(message("sites: 16\nlocal_steps: 9").contains("that divides replicas, 8"))
        #expect(message("local_steps: 0").contains("local_steps: 0, expected 1 to"))
        #expect(message("local_steps: 5\nreduction: allreduce").contains("local_steps: 5 needs reduction: tree"))
        #expect(message("outer_learning_rate: 0.5").contains("outer_learning_rate: 0.5 needs local_steps"))
        #expect(message("outer_momentum: 0.5").contains("outer_momentum: 0.5 needs local_steps"))
        #expect(
            message("local_steps: 9\nouter_learning_rate: 0").contains(
                "outer_learning_rate: 0.0, expected a positive number"))
        #expect(message("local_steps: 9\nouter_momentum: 1").contains("outer_momentum: 1.0, expected 0 up to"))
        #expect(message("regression_weight: 0").contains("regression_weight: 0.0, expected a positive number"))
        #expect(message("stall_warning_seconds: 0").contains("stall_warning_seconds: 0, expected 1 to"))
        #expect(message("stall_limit_seconds: 30").contains("at least stall_warning_seconds, 60"))
        #expect(message("", ["replicas"]).contains("expected KEY=VALUE"))
        #expect(message("", ["augment.flop=true"]).contains("did you mean augment.flip?"))
        #expect(message("seed: 1\naugment: {flip: 7}").contains("line 2, augment.flip: 7, expected true or false"))
        #expect(message("", ["seed.flip=1"]).contains("unknown key seed.flip"))
        #expect(message("epochs: many", ["seed=1"]).contains("config.yaml: line 1, epochs: many"))
        #expect(message("", ["epochs=many"]) == "--set epochs=many: epochs: many, expected a whole number")
        #expect(message("epochs: [1]").contains("epochs: a list, expected a whole number"))
        #expect(message("crop_size: 528").contains("528, expected a multiple of 16 from 32 to 512"))
        #expect(message("output_prior: 1").contains("output_prior: 1.0, expected between 0 and 1 or null"))
        let unshared = message("network: nodule-net-gn\nsynchronized_batch_norm: true")
        #expect(unshared.contains("synchronized_batch_norm: nodule-net-gn normalises every crop by itself"))
        #expect(unshared.hasSuffix("set it to false, or network to nodule-net or cpm-net"))
        #expect(message("network: nodule-net-gn") == "accepted")
        #expect(message("weight_decay: .inf").contains("weight_decay: inf, expected 0 or more"))
        #expect(message("threads: 5000").contains("threads: 5000, expected 1 to 4096 or null"))
        #expect(message("sites: 0").contains("sites: 0, expected 1 to"))
        #expect(message("augment: 3").contains("augment"))
        #expect(message("preset: luna17").contains("luna16 or dsb2017"))
        #expect(message("a: [1").contains("config.yaml"))
        #expect(message("- 1\n- 2").contains("key: value"))
        #expect(message("validation_fold: 10").contains("0 to 9"))
        #expect(message("overlap: on").contains("off or thread or poll"))
        #expect(message("reduction: allreduce\ngradient_exchange: bfloat16").contains("bfloat16 needs reduction: tree"))
    }

    /// Free text is no YAML where an option gives it.
    @Test(arguments: [
        "!x", "run #3/w.h5", "a: b", "*w", "&w", "[1", "{a}", "'q'", "\"q\"", "~", "Null", "no", "010", "%d.h5", "- a",
        " w.h5 ", "|", "@w", "`w`", "a\nb", "x=y.h5",
    ])
    func textsAreTakenAsTheyStand(path: String) throws {
        let read = try read("", ["initial_weights=\(path)"])
        #expect(read.initialWeights == path)
        #expect(try self.read(read.yaml()).initialWeights == path)
    }

    @Test func nullIsNoTextAndNothingIsNoValue() throws {
        #expect(try read("initial_weights: a.h5", ["initial_weights=null"]).initialWeights == nil)
        #expect(try read("initial_weights: \"null\"").initialWeights == "null")
        for key in ["initial_weights", "validation_fold", "epochs", "augment.flip"] {
            #expect(message("", ["\(key)="]) == "--set \(key)=: \(key): the value is empty; null means none")
        }
        for text in ["initial_weights:", "initial_weights: \"\"", "initial_weights: &x"] {
            #expect(message(text).contains("initial_weights: \"\", expected a path or null"), "\(text)")
        }
        #expect(message("initial_weights: !x").contains("line 1, initial_weights: !x is a tag of YAML's"))
        #expect(message("seed: 1\nepochs: !e 3").contains("line 2, epochs: !e is a tag"))
        #expect(try read("validation_fold:\nthreads: ~").validationFold == nil)
    }

    @Test func numbersAreDecimal() throws {
        for (text, seed) in [("010", 10), ("0", 0), ("+7", 7), ("1_000", 1000), ("08", 8), ("0000012", 12)] {
            #expect(try read("", ["seed=\(text)"]).seed == seed, "\(text)")
            #expect(try read("seed: \(text)").seed == seed, "\(text)")
        }
        for text in ["0x10", "0o10", "0b11", "1:30", "1e3", "5.0", "1 2", "1_", "٣"] {
            #expect(message("", ["seed=\(text)"]).contains("expected a whole number"), "\(text)")
            #expect(message("seed: \(text)").contains("expected a whole number"), "\(text)")
        }
        for (text, rate) in [("010.5e-2", 0.105), (".5", 0.5), ("1.", 1), ("1e-3", 0.001), ("1", 1), ("+2E-1", 0.2)] {
            #expect(try read("", ["learning_rate=\(text)"]).learningRate == rate, "\(text)")
            #expect(try read("learning_rate: \(text)").learningRate == rate, "\(text)")
        }
        for text in ["0x1p-3", "1:30.5", "0.1f", "1,5", "1e", "."] {
            #expect(message("", ["learning_rate=\(text)"]).contains("expected a number"), "\(text)")
        }
        #expect(try read("", ["augment={flip: false, scale: no}"]).augment.flip == false)
        #expect(try read("", ["epochs= 20 "]).epochs == 20)
    }

    @Test func aByteOrderMarkIsNoPartOfTheText() throws {
        #expect(try read("\u{FEFF}seed: 3\nepochs: 2").seed == 3)
        #expect(try read("\u{FEFF}") == TrainingConfiguration())
        #expect(try read("\u{FEFF}# comment\r\nseed: 4\r\n").seed == 4)
    }

    @Test func differencesThatMatter() throws {
        let a = try read("")
        #expect(try read("threads: 3\nstall_limit_seconds: null\nkeep_checkpoints: 9").firstDifference(from: a) == nil)
        #expect(try read("overlap: off").firstDifference(from: a) == nil)
        #expect(try read("seed: 5").firstDifference(from: a) == "seed")
        #expect(try read("gradient_exchange: bfloat16").firstDifference(from: a) == "gradient_exchange")
        #expect(try read("augment: {rotate: true}").firstDifference(from: a) == "augment.rotate")
    }

    /// The recipe's table of factors.
    @Test func schedules() throws {
        let luna = try read("preset: luna16")
        func rate(_ c: TrainingConfiguration, epoch: Int) -> Double {
            c.learningRate(step: (epoch - 1) * 10 + 5, stepsPerEpoch: 10) / 0.01
        }
        for (epoch, factor) in [
            (1, 1.0), (50, 1), (51, 0.1), (100, 0.1), (101, 0.05), (120, 0.05), (121, 0.01), (150, 0.01),
        ] {
            #expect(abs(rate(luna, epoch: epoch) - factor) < 1e-12, "epoch \(epoch)")
        }
        let dsb = try read("preset: dsb2017")
        for (epoch, factor) in [(1, 1.0), (50, 1), (51, 0.1), (80, 0.1), (81, 0.01), (100, 0.01)] {
            #expect(abs(rate(dsb, epoch: epoch) - factor) < 1e-12, "epoch \(epoch)")
        }
        let cosine = try read("schedule: cosine\nepochs: 2\nwarmup_steps: 4")
        #expect(cosine.learningRate(step: 0, stepsPerEpoch: 10) == 0.0025)
        #expect(abs(cosine.learningRate(step: 10, stepsPerEpoch: 10) - 0.005) < 1e-12)
        #expect(cosine.learningRate(step: 19, stepsPerEpoch: 10) < 0.0001)
    }
}
