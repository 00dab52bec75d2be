import Basics
import Testing

@testable import Compute

/// Every kernel at widths that no network has yet: multiples of 8, odd ones too, up to 256.
@Suite struct WidthTests {
    static let widths = [8, 16, 24, 40, 48, 56, 72, 88, 96, 104, 120, 136, 200, 248, 256]

    /// Shapes for each of the three tilings.
    static let extents = [ZYX(2, 3, 5), ZYX(2, 7, 8), ZYX(16, 7, 7)]

    @Test(arguments: widths, extents) func convolution(_ width: Int, _ extent: ZYX<Int>) {
        // Wide outputs have another way to the gradient of the weights than narrow ones.
        compare(inputs: width, outputs: 24, extent)
        compare(inputs: 16, outputs: width, extent)
    }

    @Test func wideToWide() { compare(inputs: 200, outputs: 136, ZYX(2, 7, 8)) }

    /// Runs a convolution in its three directions on every instruction set, and compares some of its results, at the
    /// corners of the map among others, with the definition.
    private func compare(inputs: Int, outputs: Int, _ extent: ZYX<Int>) {
        var generator = CounterGenerator(seed: 1, purpose: "width test", UInt64(inputs), UInt64(outputs))
        let x = NaiveMap.random(1, extent, inputs, &generator)
        let g = NaiveMap.random(1, extent, outputs, &generator)
        let weights = (0..<outputs * inputs * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = (0..<outputs).map { _ in Float(generator.uniform(-1, 1)) }
        let last = extent.product - 1
        let voxels = [0, last / 3, last / 2, last - 1, last]
        let channels = [0, inputs / 2, inputs - 1]
        var (y, dx) = (
            [Double](repeating: 0, count: voxels.count * outputs), [Double](repeating: 0, count: voxels.count * inputs)
        )
        var dw = [Double](repeating: 0, count: outputs * channels.count * 27)
        func place(_ voxel: Int) -> (z: Int, y: Int, x: Int) {
            (voxel / (extent.y * extent.x), voxel / extent.x % extent.y, voxel % extent.x)
        }
        for tap in 0..<27 {
            let (dz, dy, dx1) = (tap / 9 - 1, tap / 3 % 3 - 1, tap % 3 - 1)
            for (row, voxel) in voxels.enumerated() {
                let p = place(voxel)
                for input in 0..<inputs {
                    let value = x.at(0, p.z + dz, p.y + dy, p.x + dx1, input)
                    for output in 0..<outputs {
                        let w = Double(weights[(output * inputs + input) * 27 + tap])
                        y[row * outputs + output] += value * w
                        dx[row * inputs + input] += w * g.at(0, p.z - dz, p.y - dy, p.x - dx1, output)
                    }
                }
            }
            for voxel in 0...last {
                let p = place(voxel)
                for (column, input) in channels.enumerated() {
                    let value = x.at(0, p.z + dz, p.y + dy, p.x + dx1, input)
                    if value == 0 { continue }
                    for output in 0..<outputs {
                        dw[(output * channels.count + column) * 27 + tap] += value * g.values[voxel * outputs + output]
                    }
                }
            }
        }
        for row in voxels.indices { for output in 0..<outputs { y[row * outputs + output] += Double(bias[output]) } }

        for set in supportedInstructionSets {
            let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
            let (map, gradient) = (engine.map(x, extra: 8), engine.map(g, extra: 8))
            // The result lies in the middle of a wider map, whose other channels stay what they were.
            let wide = engine.map(samples: 1, extent: extent, channels: outputs + 16)
            for index in 0..<wide.voxels * wide.stride { wide.pointer[index] = .nan }
            engine.convolution(
                map, weights: weights, bias: bias, inputs: inputs, into: wide.channels(8..<8 + outputs))
            let all = wide.doubles
            let stray = all.indices.filter {
                let channel = $0 % (outputs + 16)
                return all[$0].isNaN == (8..<8 + outputs ~= channel)
            }
            #expect(stray.isEmpty, "\(set): \(stray.count) values written or left that should not be")
            let mine = voxels.flatMap { voxel in
                (0..<outputs).map { Double(wide.pointer[voxel * wide.stride + 8 + $0]) }
            }
            #expect(relativeError(mine, y) < 4e-6, "\(set)")

            // Memory that comes next holds what is not a number.
            let poison = engine.workspace.take(extent.product * inputs)
            poison.pointer.update(repeating: .nan, count: poison.count)
            withExtendedLifetime(poison) {}
            _ = consume poison
            let data = engine.convolutionDataGradient(gradient, weights: weights, inputs: inputs, channels: inputs)
            let myData = data.doubles
            let finite = myData.allSatisfy(\.isFinite)
            #expect(finite, "\(set)")
            let some = voxels.flatMap { Array(myData[$0 * inputs..<($0 + 1) * inputs]) }
            #expect(relativeError(some, dx) < 4e-6, "\(set)")

            var myWeights = [Float](repeating: .nan, count: weights.count)
            myWeights.withUnsafeMutableBufferPointer {
                engine.convolutionWeightsGradient(map, gradient, inputs: inputs, into: $0)
            }
            let written = myWeights.allSatisfy(\.isFinite)
            #expect(written, "\(set)")
            let chosen = (0..<outputs).flatMap { output in
                channels.flatMap { input in
                    (0..<27).map { Double(myWeights[(output * inputs + input) * 27 + $0]) }
                }
            }
            #expect(relativeError(chosen, dw) < 8e-6, "\(set)")
        }
    }

    @Test(arguments: widths) func elementwise(_ width: Int) {
        var generator = CounterGenerator(seed: 2, purpose: "width test", UInt64(width))
        let (a, b) = (
            NaiveMap.random(2, ZYX(2, 3, 5), width, &generator), NaiveMap.random(2, ZYX(2, 3, 5), width, &generator)
        )
        let factors = (0..<2 * width).map { _ in Float(generator.uniform(-2, 2)) }
        func float(_ value: Double) -> Double { Double(Float(value)) }
        for set in supportedInstructionSets {
            let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
            let sum = engine.map(a, extra: 8)
            engine.add(engine.map(b), to: sum)
            #expect(sum.doubles == zip(a.values, b.values).map { float($0 + $1) })
            #expect(sum.pointer[sum.stride - 1] == 7, "the channel behind the map is untouched")
            engine.rectify(sum)
            #expect(sum.doubles == zip(a.values, b.values).map { max(0, float($0 + $1)) })
            let scaled = engine.map(a)
            engine.scale(scaled, by: factors, into: scaled)
            let half = a.values.count / 2
            #expect(
                scaled.doubles
                    == a.values.indices.map { float(a.values[$0] * Double(factors[$0 / half * width + $0 % width])) })
        }
    }
}

/// What the engine is asked for and cannot do ends the program, instead of leaving what is in memory.
@Suite struct DoorTests {
    @Test func wrongWidths() async {
        await #expect(processExitsWith: .failure) {
            let engine = Engine(pool: ThreadPool(threads: 1))
            _ = engine.statistics(engine.map(samples: 1, extent: ZYX(2, 2, 2), channels: 12))
        }
        await #expect(processExitsWith: .failure) {
            let engine = Engine(pool: ThreadPool(threads: 1))
            let x = engine.map(samples: 1, extent: ZYX(2, 2, 2), channels: 8)
            let weights = [Float](repeating: 0, count: 27 * 8 * 12)
            _ = engine.convolution(x, weights: weights, bias: Array(weights[..<12]), inputs: 8, outputs: 12)
        }
    }

    @Test func wrongCounts() async {
        await #expect(processExitsWith: .failure) {
            let engine = Engine(pool: ThreadPool(threads: 1))
            let x = engine.map(samples: 1, extent: ZYX(2, 2, 2), channels: 8)
            let weights = [Float](repeating: 0, count: 27 * 8 * 8 - 1)
            _ = engine.convolution(x, weights: weights, bias: Array(weights[..<8]), inputs: 8, outputs: 8)
        }
        await #expect(processExitsWith: .failure) {
            let engine = Engine(pool: ThreadPool(threads: 1))
            let x = engine.map(samples: 1, extent: ZYX(2, 2, 2), channels: 8)
            engine.scale(x, by: [1, 2, 3], into: x)
        }
    }

    @Test func wrongExtents() async {
        await #expect(processExitsWith: .failure) {
            let engine = Engine(pool: ThreadPool(threads: 1))
            _ = engine.maxPool(engine.map(samples: 1, extent: ZYX(2, 3, 2), channels: 8))
        }
        await #expect(processExitsWith: .failure) {
            let engine = Engine(pool: ThreadPool(threads: 1))
            let a = engine.map(samples: 1, extent: ZYX(2, 2, 2), channels: 8)
            engine.add(engine.map(samples: 1, extent: ZYX(2, 2, 1), channels: 8), to: a)
        }
    }
}
