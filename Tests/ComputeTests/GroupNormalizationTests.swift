import Basics
import Testing

@testable import Compute

/// Group normalisation: values against their definition, gradients against finite differences of it in Double; three
/// samples, each with statistics of its own.
@Suite struct GroupNormalizationTests {
    private let extent = ZYX(2, 2, 4)
    private let scope = NormalizationScope.group(channels: 8)

    /// Scales and shifts, of which one scale is 0, as are those of the last group, and the room for their gradients.
    private final class Layer {
        let scale: UnsafeMutableBufferPointer<Float>
        let shift: UnsafeMutableBufferPointer<Float>
        let scaleGradient: UnsafeMutableBufferPointer<Float>
        let shiftGradient: UnsafeMutableBufferPointer<Float>

        init(_ channels: Int, hasZeros: Bool = true, _ generator: inout CounterGenerator) {
            (scale, shift) = (.allocate(capacity: channels), .allocate(capacity: channels))
            (scaleGradient, shiftGradient) = (.allocate(capacity: channels), .allocate(capacity: channels))
            for channel in 0..<channels {
                let isZero = hasZeros && (channel == 3 || channels > 8 && channel >= channels - 8)
                scale[channel] = isZero ? 0 : Float(generator.uniform(-1.5, 1.5))
                shift[channel] = Float(generator.uniform(-0.5, 0.5))
            }
        }

        deinit { for buffer in [scale, shift, scaleGradient, shiftGradient] { buffer.deallocate() } }

        var parameters: NormalizationParameters {
            NormalizationParameters(scale: UnsafeBufferPointer(scale), shift: UnsafeBufferPointer(shift))
        }
        var numbers: (scale: [Double], shift: [Double]) { (scale.map(Double.init), shift.map(Double.init)) }
    }

    /// Compares gradients with finite differences of Σ g · y: those of some elements of x, and of some channels.
    private func check(
        _ dx: [Double], _ layer: Layer, _ x: NaiveMap, _ g: NaiveMap,
        _ definition: (NaiveMap, _ scale: [Double], _ shift: [Double]) -> NaiveMap
    ) {
        let (s, b) = layer.numbers
        let channels = s.count
        for index in [0, 3, 5 * channels - 1, x.values.count / 2 + 9, x.values.count - 1] {
            let truth = Naive.derivative(x.values, index, step: 1e-6) { values in
                var moved = x
                moved.values = values
                return Naive.dot(definition(moved, s, b), g)
            }
            #expect(abs(dx[index] - truth) < 2e-4, "element \(index)")
        }
        for channel in [0, 3, channels - 1] {
            let dScale = Naive.derivative(s, channel, step: 1e-6) { Naive.dot(definition(x, $0, b), g) }
            let dShift = Naive.derivative(b, channel, step: 1e-6) { Naive.dot(definition(x, s, $0), g) }
            #expect(abs(Double(layer.scaleGradient[channel]) - dScale) < 2e-3, "scale \(channel)")
            #expect(abs(Double(layer.shiftGradient[channel]) - dShift) < 2e-3, "shift \(channel)")
        }
    }

    /// Beside a residual that has a normalisation of its own, channels and samples being far from zero and from one
    /// another.
    @Test(arguments: supportedInstructionSets, [8, 24, 56])
    func besideAResidual(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 1, purpose: "group normalisation test", UInt64(channels))
        var x = NaiveMap.random(3, extent, channels, &generator)
        for index in x.values.indices {
            x.values[index] += Double(50 + index % channels / 3 + index / (x.values.count / 3))
        }
        let beside = NaiveMap.random(3, extent, channels, &generator)
        let g = NaiveMap.random(3, extent, channels, &generator)
        let layer = Layer(channels, &generator)
        let other = Layer(channels, &generator)
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let (map, residual, gradient) = (engine.map(x, extra: 8), engine.map(beside), engine.map(g))
        let (y, dx) = (engine.map(like: map), engine.map(like: map))
        let statistics = engine.statistics(map, over: scope)
        engine.normalize(
            map, layer.parameters, statistics,
            residual: .normalized(residual, other.parameters, engine.statistics(residual, over: scope)), into: y)
        engine.normalizationGradient(
            map, .output(y), gradient: gradient, layer.parameters, statistics, scaleGradient: layer.scaleGradient,
            shiftGradient: layer.shiftGradient, into: dx)
        // Lifted above the ReLU of the definition, and down again.
        var lifted = beside
        lifted.values = lifted.values.map { _ in 100 }
        var added = Naive.normalized(
            beside, other.numbers.scale, other.numbers.shift, groupsOf: 8, residual: lifted)
        added.values = added.values.map { $0 - 100 }
        let definition = { Naive.normalized($0, $1, $2, groupsOf: 8, residual: added) }
        let (s, b) = layer.numbers
        #expect(relativeError(y.doubles, definition(x, s, b).values) < 2e-5)
        check(dx.doubles, layer, x, g, definition)
    }

    /// With the ReLU's mask computed again; the result may take the place of either map.
    @Test(arguments: supportedInstructionSets, [24, 40])
    func inPlace(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 2, purpose: "group normalisation test", UInt64(channels))
        let x = NaiveMap.random(3, extent, channels, &generator)
        let g = NaiveMap.random(3, extent, channels, &generator)
        let layer = Layer(channels, &generator)
        let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
        let results = (0..<3).map { target in
            let (map, gradient) = (engine.map(x), engine.map(g))
            let result = target == 0 ? map : target == 1 ? gradient : engine.map(like: map)
            engine.normalizationGradient(
                map, .rectified, gradient: gradient, layer.parameters, engine.statistics(map, over: scope),
                scaleGradient: layer.scaleGradient, shiftGradient: layer.shiftGradient, into: result)
            return result.doubles
        }
        #expect(results[0] == results[1] && results[1] == results[2])
        check(results[0], layer, x, g) { Naive.normalized($0, $1, $2, groupsOf: 8, residual: nil) }
    }

    /// No scale is 0: all voxels of a window would be the largest.
    @Test(arguments: supportedInstructionSets, [8, 24])
    func pooled(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 3, purpose: "group normalisation test")
        let x = NaiveMap.random(3, extent, channels, &generator)
        let g = NaiveMap.random(3, extent.map { $0 / 2 }, channels, &generator)
        let layer = Layer(channels, hasZeros: false, &generator)
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let map = engine.map(x)
        let y = engine.map(samples: 3, extent: extent.map { $0 / 2 }, channels: channels)
        let statistics = engine.statistics(map, over: scope)
        engine.poolNormalized(map, layer.parameters, statistics, into: y)
        engine.poolNormalizedGradient(
            map, gradient: engine.map(g), layer.parameters, statistics, scaleGradient: layer.scaleGradient,
            shiftGradient: layer.shiftGradient)
        func definition(_ x: NaiveMap, _ s: [Double], _ b: [Double]) -> NaiveMap {
            Naive.pooled(Naive.normalized(x, s, b, groupsOf: 8, residual: nil))
        }
        let (s, b) = layer.numbers
        #expect(relativeError(y.doubles, definition(x, s, b).values) < 1e-6)
        check(map.doubles, layer, x, g, definition)
    }

    /// The first layer, whose biases have a gradient here.
    @Test(arguments: supportedInstructionSets, [8, 24])
    func firstLayer(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 4, purpose: "group normalisation test")
        let extent = ZYX(3, 5, 6)
        let x = NaiveMap.random(3, extent, 1, &generator)
        let g = NaiveMap.random(3, extent, channels, &generator)
        let weights = (0..<channels * 27).map { _ in Float(generator.uniform(-1, 1)) }
        let bias = (0..<channels).map { _ in Float(generator.uniform(-1, 1)) }
        let layer = Layer(channels, &generator)
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let map = engine.map(x)
        var (y, dw, db): ([Double], [Float], [Float]) = ([], weights, bias)
        weights.withUnsafeBufferPointer { weights in
            bias.withUnsafeBufferPointer { bias in
                let first = FirstLayer(weights: weights, bias: bias)
                let statistics = engine.firstStatistics(map, first, over: scope)
                y = engine.firstActivation(map, planes: 0..<9, first, layer.parameters, statistics).doubles
                dw.withUnsafeMutableBufferPointer { dw in
                    db.withUnsafeMutableBufferPointer { db in
                        engine.firstGradient(
                            map, first, gradient: engine.map(g), layer.parameters, statistics, weightsGradient: dw,
                            scaleGradient: layer.scaleGradient, shiftGradient: layer.shiftGradient, biasGradient: db)
                    }
                }
            }
        }
        let (s, b) = layer.numbers
        let (w, c) = (weights.map(Double.init), bias.map(Double.init))
        func loss(_ w: [Double], _ c: [Double], _ s: [Double], _ b: [Double]) -> Double {
            let convolved = Naive.convolution(x, w, c, inputs: 1)
            return Naive.dot(Naive.normalized(convolved, s, b, groupsOf: 8, residual: nil), g)
        }
        let truth = Naive.normalized(Naive.convolution(x, w, c, inputs: 1), s, b, groupsOf: 8, residual: nil)
        #expect(relativeError(y, truth.values) < 2e-6)
        for index in stride(from: 0, to: weights.count, by: 41) {
            #expect(abs(Double(dw[index]) - Naive.derivative(w, index, step: 1e-6) { loss($0, c, s, b) }) < 1e-3)
        }
        for channel in [0, 3, channels - 1] {
            #expect(abs(Double(db[channel]) - Naive.derivative(c, channel, step: 1e-6) { loss(w, $0, s, b) }) < 1e-3)
            let dScale = Naive.derivative(s, channel, step: 1e-6) { loss(w, c, $0, b) }
            #expect(abs(Double(layer.scaleGradient[channel]) - dScale) < 1e-3)
        }
        #expect(db.contains { abs($0) > 0.01 })
    }
}
