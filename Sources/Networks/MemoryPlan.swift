import Basics
import Compute

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The memory that passes of a network take, found by going through them without computing anything.
public final class MemoryPlan {
    private let architecture: Architecture
    /// Numbers in place of the parameters, of the statistics and of their gradients. Few of them are touched, and
    /// the others take addresses, but no memory.
    private let numbers: UnsafeMutablePointer<Float>

    /// Prepares plans for a network.
    public init(_ architecture: Architecture) {
        self.architecture = architecture
        let count = max(architecture.parameters.count, architecture.statistics.count)
        guard let memory = calloc(count, MemoryLayout<Float>.stride) else {
            preconditionFailure("there are no addresses for \(count) numbers")
        }
        numbers = memory.bindMemory(to: Float.self, capacity: count)
    }

    deinit { free(numbers) }

    /// The threads that an evaluation is planned for, whatever there are: how a scan is cut into tiles, and so the last
    /// bits of what is found in it, must not depend on the machine.
    private static let evaluationThreads = 16
    /// The second-level cache that an evaluation is planned for, in bytes, for the same reason. Where a core has more,
    /// each thread may take up to two megabytes of scratch memory beyond the plan.
    private static let evaluationCache = 1 << 20

    /// The bytes that an engine of 16 threads takes for an evaluation of one map, activations and scratch memory.
    ///
    /// - Parameter extent: The input's extent in voxels.
    public func evaluation(_ extent: ZYX<Int>) -> Int {
        let engine = Engine(
            planning: Self.evaluationThreads, instructionSet: .baseline, cache: Self.evaluationCache)
        let graph = architecture.makeGraph()
        _ = forward(extent, samples: 1, graph, engine, isTraining: false)
        return engine.plannedBytes
    }

    /// The bytes that the engine takes for a training step, activations and scratch memory.
    ///
    /// - Parameters:
    ///   - extent: A crop's extent in voxels.
    ///   - samples: The number of crops.
    ///   - threads: The number of threads; each has scratch memory of its own.
    public func training(_ extent: ZYX<Int>, samples: Int, threads: Int) -> Int {
        let engine = Engine(planning: threads)
        let graph = architecture.makeGraph()
        let (samples, extent) = forward(extent, samples: samples, graph, engine, isTraining: true)
        let gradient = engine.map(
            samples: samples, extent: extent, channels: architecture.anchors * architecture.components)
        graph.backward(
            gradient,
            Pass(
                engine: engine, parameters: numbers, statistics: numbers, isTraining: true, gradients: numbers))
        return engine.plannedBytes
    }

    /// Goes through a forward pass. Returns the output's samples and extent.
    private func forward(
        _ extent: ZYX<Int>, samples: Int, _ graph: NetworkGraph, _ engine: Engine, isTraining: Bool
    ) -> (samples: Int, extent: ZYX<Int>) {
        let pass = Pass(
            engine: engine, parameters: numbers, statistics: numbers, isTraining: isTraining,
            batchStatistics: isTraining ? numbers : nil)
        let output = graph.forward(engine.map(samples: samples, extent: extent, channels: 1), pass)
        return (output.samples, output.extent)
    }
}
