import Basics
import Testing

@testable import Compute

/// The other layers: values against their definition, gradients against finite differences of it in Double.
@Suite struct LayerTests {
    private let extent = ZYX(4, 2, 6)

    @Test(arguments: supportedInstructionSets, [8, 24, 32, 64, 104])
    func normalization(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 1, purpose: "normalisation test", UInt64(channels))
        var x = NaiveMap.random(2, extent, channels, &generator)
        // A mean far from zero, where a careless variance would lose its digits.
        x.values = x.values.map { $0 + 50 }
        let residual = NaiveMap.random(2, extent, channels, &generator)
        let g = NaiveMap.random(2, extent, channels, &generator)
        let scale = (0..<channels).map { _ in Float(generator.uniform(0.5, 1.5)) }
        let shift = (0..<channels).map { _ in Float(generator.uniform(-0.5, 0.5)) }
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let map = engine.map(x, extra: 8)
        let statistics = engine.statistics(map)
        let y = engine.map(like: map)
        var (dScale, dShift) = (scale, shift)
        scale.withUnsafeBufferPointer { scale in
            shift.withUnsafeBufferPointer { shift in
                let parameters = NormalizationParameters(scale: scale, shift: shift)
                engine.normalize(map, parameters, statistics, residual: .identity(engine.map(residual)), into: y)
                let gradient = engine.map(g)
                dScale.withUnsafeMutableBufferPointer { dScale in
                    dShift.withUnsafeMutableBufferPointer { dShift in
                        let dx = engine.map(like: map)
                        engine.normalizationGradient(
                            map, .output(y), gradient: gradient, parameters, statistics,
                            scaleGradient: dScale, shiftGradient: dShift, into: dx)
                        for index in [0, 5 * channels - 1, x.values.count / 2, x.values.count - 1] {
                            let truth = Naive.derivative(x.values, index) { values in
                                var moved = x
                                moved.values = values
                                return Naive.dot(
                                    Naive.normalized(
                                        moved, scale.map(Double.init), shift.map(Double.init), residual: residual), g)
                            }
                            #expect(abs(dx.doubles[index] - truth) < 2e-4, "element \(index)")
                        }
                    }
                }
                // The masked gradient is the residual's.
                let masked = zip(g.values, y.doubles).map { $1 > 0 ? $0 : 0 }
                #expect(gradient.doubles == masked)
            }
        }
        let truth = Naive.normalized(x, scale.map(Double.init), shift.map(Double.init), residual: residual)
        #expect(relativeError(y.doubles, truth.values) < 2e-5)
        let loss: ([Double], [Double]) -> Double = {
            Naive.dot(Naive.normalized(x, $0, $1, residual: residual), g)
        }
        let (s, b) = (scale.map(Double.init), shift.map(Double.init))
        for channel in [0, 7, channels - 1] {
            #expect(abs(Double(dScale[channel]) - Naive.derivative(s, channel, step: 1e-6) { loss($0, b) }) < 2e-3)
            #expect(abs(Double(dShift[channel]) - Naive.derivative(b, channel, step: 1e-6) { loss(s, $0) }) < 2e-3)
        }
    }

    /// Without a residual the ReLU's mask is computed again, and the result may take the place of either map.
    @Test(arguments: supportedInstructionSets, [24, 56, 64])
    func normalizationInPlace(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 6, purpose: "normalisation test", UInt64(channels))
        let x = NaiveMap.random(2, extent, channels, &generator)
        let g = NaiveMap.random(2, extent, channels, &generator)
        let scale = (0..<channels).map { _ in Float(generator.uniform(-1.5, 1.5)) }
        let shift = (0..<channels).map { _ in Float(generator.uniform(-0.5, 0.5)) }
        let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
        let gradients = Gradients(channels)
        var results: [[Double]] = []
        withParameters(scale, shift) { parameters in
            for target in 0..<3 {
                let (map, gradient) = (engine.map(x), engine.map(g))
                let result = target == 0 ? map : target == 1 ? gradient : engine.map(like: map)
                engine.normalizationGradient(
                    map, .rectified, gradient: gradient, parameters, engine.statistics(map),
                    scaleGradient: gradients.scale, shiftGradient: gradients.shift, into: result)
                results.append(result.doubles)
            }
        }
        #expect(results[0] == results[1] && results[1] == results[2])
        let (s, b) = (scale.map(Double.init), shift.map(Double.init))
        for index in [0, 5 * channels - 1, x.values.count / 2, x.values.count - 1] {
            let truth = Naive.derivative(x.values, index, step: 1e-6) { values in
                var moved = x
                moved.values = values
                return Naive.dot(Naive.normalized(moved, s, b, residual: nil), g)
            }
            #expect(abs(results[0][index] - truth) < 2e-4, "element \(index)")
        }
        for channel in [0, channels - 1] {
            let truth = Naive.derivative(s, channel, step: 1e-6) {
                Naive.dot(Naive.normalized(x, $0, b, residual: nil), g)
            }
            #expect(abs(Double(gradients.scale[channel]) - truth) < 2e-3)
        }
    }

    /// Normalisation, ReLU and pooling in one, and back, beside their definitions one after the other.
    @Test(arguments: supportedInstructionSets, [8, 24, 40])
    func poolNormalized(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 7, purpose: "pooling test")
        let x = NaiveMap.random(2, extent, channels, &generator)
        let g = NaiveMap.random(2, extent.map { $0 / 2 }, channels, &generator)
        // Negative scales as well: there the largest comes from the smallest.
        let scale = (0..<channels).map { _ in Float(generator.uniform(-1.5, 1.5)) }
        let shift = (0..<channels).map { _ in Float(generator.uniform(-0.5, 0.5)) }
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let map = engine.map(x)
        let y = engine.map(samples: 2, extent: extent.map { $0 / 2 }, channels: channels)
        let gradients = Gradients(channels)
        withParameters(scale, shift) { parameters in
            let statistics = engine.statistics(map)
            engine.poolNormalized(map, parameters, statistics, into: y)
            engine.poolNormalizedGradient(
                map, gradient: engine.map(g), parameters, statistics, scaleGradient: gradients.scale,
                shiftGradient: gradients.shift)
        }
        let (s, b) = (scale.map(Double.init), shift.map(Double.init))
        func definition(_ x: NaiveMap, _ s: [Double], _ b: [Double]) -> NaiveMap {
            Naive.pooled(Naive.normalized(x, s, b, residual: nil))
        }
        #expect(relativeError(y.doubles, definition(x, s, b).values) < 1e-6)
        let dx = map.doubles
        for index in stride(from: 3, to: x.values.count, by: 211) {
            let truth = Naive.derivative(x.values, index, step: 1e-6) { values in
                var moved = x
                moved.values = values
                return Naive.dot(definition(moved, s, b), g)
            }
            #expect(abs(dx[index] - truth) < 1e-4, "element \(index)")
        }
        for channel in [0, 7, channels - 1] {
            let dScale = Naive.derivative(s, channel, step: 1e-6) { Naive.dot(definition(x, $0, b), g) }
            let dShift = Naive.derivative(b, channel, step: 1e-6) { Naive.dot(definition(x, s, $0), g) }
            #expect(abs(Double(gradients.scale[channel]) - dScale) < 1e-3)
            #expect(abs(Double(gradients.shift[channel]) - dShift) < 1e-3)
        }
    }

    /// The first layer with its normalisation: statistics, activation, gradients.
    @Test(arguments: supportedInstructionSets, [8, 24, 40])
    func firstLayer(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 8, purpose: "first layer test")
        let extent = ZYX(3, 5, 6)
        let x = NaiveMap.random(2, extent, 1, &generator)
        let g = NaiveMap.random(2, extent, channels, &generator)
        let weights = (0..<channels * 27).map { _ in Float(generator.uniform(-1, 1)) }
        let bias = (0..<channels).map { _ in Float(generator.uniform(-1, 1)) }
        let scale = (0..<channels).map { _ in Float(generator.uniform(0.5, 1.5)) }
        let shift = (0..<channels).map { _ in Float(generator.uniform(-0.5, 0.5)) }
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let map = engine.map(x)
        let gradients = Gradients(channels)
        var dw = weights
        var y: [Double] = []
        withParameters(scale, shift) { parameters in
            withParameters(weights, bias) { layer in
                let layer = FirstLayer(weights: layer.scale, bias: layer.shift)
                let statistics = engine.firstStatistics(map, layer)
                y = engine.firstActivation(map, planes: 0..<6, layer, parameters, statistics).doubles
                // Of one sample, some planes alone are the same to the bit.
                let second = engine.firstActivation(map.sample(1), planes: 1..<3, layer, parameters, statistics)
                #expect(second.doubles == Array(y[4 * 30 * channels..<6 * 30 * channels]))
                dw.withUnsafeMutableBufferPointer { dw in
                    engine.firstGradient(
                        map, layer, gradient: engine.map(g), parameters, statistics,
                        weightsGradient: dw, scaleGradient: gradients.scale,
                        shiftGradient: gradients.shift)
                }
            }
        }
        func definition(_ w: [Double], _ s: [Double], _ b: [Double]) -> NaiveMap {
            Naive.normalized(Naive.convolution(x, w, bias.map(Double.init), inputs: 1), s, b, residual: nil)
        }
        let (w, s, b) = (weights.map(Double.init), scale.map(Double.init), shift.map(Double.init))
        #expect(relativeError(y, definition(w, s, b).values) < 1e-6)
        for index in stride(from: 0, to: weights.count, by: 41) {
            let truth = Naive.derivative(w, index, step: 1e-6) { Naive.dot(definition($0, s, b), g) }
            #expect(abs(Double(dw[index]) - truth) < 1e-3, "weight \(index)")
        }
        for channel in [0, 7, channels - 1] {
            let dScale = Naive.derivative(s, channel, step: 1e-6) { Naive.dot(definition(w, $0, b), g) }
            let dShift = Naive.derivative(b, channel, step: 1e-6) { Naive.dot(definition(w, s, $0), g) }
            #expect(abs(Double(gradients.scale[channel]) - dScale) < 1e-3)
            #expect(abs(Double(gradients.shift[channel]) - dShift) < 1e-3)
        }
    }

    private func withParameters(_ scale: [Float], _ shift: [Float], _ body: (NormalizationParameters) -> Void) {
        scale.withUnsafeBufferPointer { scale in
            shift.withUnsafeBufferPointer { shift in
                body(NormalizationParameters(scale: scale, shift: shift))
            }
        }
    }

    /// Room for dγ and dβ.
    private final class Gradients {
        let scale: UnsafeMutableBufferPointer<Float>
        let shift: UnsafeMutableBufferPointer<Float>

        init(_ channels: Int) {
            scale = .allocate(capacity: channels)
            shift = .allocate(capacity: channels)
        }

        deinit {
            scale.deallocate()
            shift.deallocate()
        }
    }

    @Test(arguments: supportedInstructionSets, [8, 24, 136])
    func pooling(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 2, purpose: "pooling test")
        var x = NaiveMap.random(2, extent, channels, &generator)
        // Equal values in a window: the first gets the gradient.
        for channel in 0..<channels { for tap in 0..<2 { x.values[x.index(0, 0, 0, tap, channel)] = 2 } }
        let g = NaiveMap.random(2, extent.map { $0 / 2 }, channels, &generator)
        let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
        let map = engine.map(x)
        let y = engine.maxPool(map)
        #expect(y.doubles == Naive.pooled(x).values)
        let dx = engine.maxPoolGradient(map, y, gradient: engine.map(g)).doubles
        #expect(dx[x.index(0, 0, 0, 0, 3)] == g.values[3])
        #expect(dx[x.index(0, 0, 0, 1, 3)] == 0)
        for index in stride(from: channels * 12 + 1, to: x.values.count, by: 97) {
            let truth = Naive.derivative(x.values, index, step: 1e-7) { values in
                var moved = x
                moved.values = values
                return Naive.dot(Naive.pooled(moved), g)
            }
            #expect(abs(dx[index] - truth) < 1e-5)
        }
    }

    @Test(arguments: supportedInstructionSets, [false, true]) func descent(_ set: InstructionSet, _ isNesterov: Bool) {
        let count = 70_003
        var parameters = (0..<count).map { Float($0 % 13) - 6 }
        var momentum = [Float](repeating: 0, count: count)
        let gradients = (0..<count).map { Float($0 % 7) - 3 }
        var (w, v) = (parameters.map(Double.init), momentum.map(Double.init))
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        for _ in 0..<3 {
            gradients.withUnsafeBufferPointer {
                engine.descend(
                    parameters: &parameters, momentum: &momentum, gradients: $0, learningRate: 0.1,
                    momentumFactor: 0.9, weightDecay: 0.01, isNesterov: isNesterov)
            }
            for index in 0..<count {
                let g = Double(gradients[index]) + 0.01 * w[index]
                v[index] = 0.9 * v[index] + g
                w[index] -= 0.1 * (isNesterov ? g + 0.9 * v[index] : v[index])
            }
        }
        #expect(relativeError(parameters.map(Double.init), w) < 1e-6)
        #expect(relativeError(momentum.map(Double.init), v) < 1e-6)
    }
}
