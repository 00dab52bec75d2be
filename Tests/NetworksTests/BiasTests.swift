import Basics
import Compute
import Testing

@testable import Networks

/// A bias has a gradient unless a batch normalisation follows: one over groups does not take it off again.
@Suite struct BiasTests {
    @Test(arguments: [false, true], [NormalizationScope.batch, .group(channels: 8)])
    func gradient(_ isNormalized: Bool, _ scope: NormalizationScope) {
        let declarations = Declarations(.plain.normalizing(over: scope))
        let convolution = Convolution("a", 8, 16, isNormalized: isNormalized, declarations)
        let pointwise = Convolution("b", side: 1, 8, 16, isNormalized: isNormalized, declarations)
        let transposed = TransposedConvolution("c", 8, 8, isNormalized: isNormalized, declarations)
        let isTakenOff = isNormalized && scope == .batch
        let engine = Engine(pool: ThreadPool(threads: 1))
        let extent = ZYX(2, 3, 4)
        let x = engine.map(samples: 2, extent: extent, channels: 8)
        let g = engine.map(samples: 2, extent: extent, channels: 16)
        let large = engine.map(samples: 2, extent: extent * 2, channels: 8)
        for map in [x, g, large] {
            for index in 0..<map.voxels * map.channels { map.pointer[index] = Float(index % 7) - 2 }
        }
        func sums(_ map: FeatureMap) -> [Float] {
            (0..<map.channels).map { channel in
                isTakenOff ? 0 : (0..<map.voxels).reduce(0) { $0 + map.pointer[$1 * map.channels + channel] }
            }
        }
        let values = [Float](repeating: 0.5, count: declarations.parameters.count)
        var gradients = [Float](repeating: .nan, count: values.count)
        values.withUnsafeBufferPointer { values in
            gradients.withUnsafeMutableBufferPointer { gradients in
                let pass = Pass(
                    engine: engine, parameters: values.baseAddress!, statistics: values.baseAddress!,
                    isTraining: true, gradients: gradients.baseAddress)
                convolution.weightsGradient(x, g, pass)
                pointwise.weightsGradient(x, g, pass)
                _ = transposed.backward(x, large, pass)
            }
        }
        #expect(Array(gradients[convolution.parameters.bias]) == sums(g))
        #expect(Array(gradients[pointwise.parameters.bias]) == sums(g))
        #expect(Array(gradients[transposed.parameters.bias]) == sums(large))
        let written = gradients.allSatisfy(\.isFinite)
        #expect(written)
    }
}
