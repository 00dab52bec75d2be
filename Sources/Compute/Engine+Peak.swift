// What the machine could do at best, beside which layers are shown.

import Basics
import CKernels

extension Engine {
    /// The floating-point operations that all threads do in a second on registers alone, as many of them fused
    /// multiply-adds as the instruction set has: the best of some rounds, in operations a second.
    public func measurePeak() -> Double {
        let numbers = workspace.take(16 * pool.threads)
        let rounds = 1 << 20
        return best(of: 8) {
            for index in 0..<16 * pool.threads { numbers.pointer[index] = 0.5 }
            let operations = workspace.take(pool.threads)
            pool.run(pool.threads) { item, _ in
                operations.pointer[item] = Float(kernels.multiply_adds(rounds, numbers.pointer + 16 * item))
            }
            return (0..<pool.threads).reduce(0) { $0 + Double(operations.pointer[$1]) }
        }
    }

    /// The bytes that all threads read and write in a second, adding one map to another that no cache of a core holds:
    /// the best of some rounds, in bytes a second.
    public func measureBandwidth() -> Double {
        let maps = (0..<2).map { _ in map(samples: 1, extent: ZYX(128, 128, 128), channels: 16) }
        for map in maps { map.pointer.update(repeating: 1, count: map.voxels * map.channels) }
        let bytes = maps[0].voxels * maps[0].channels * MemoryLayout<Float>.stride
        return best(of: 5) {
            add(maps[1], to: maps[0])
            return Double(3 * bytes)
        }
    }

    /// The most that `body` says it has done in a second, after one time that does not count.
    private func best(of repetitions: Int, _ body: () -> Double) -> Double {
        _ = body()
        return (0..<repetitions).reduce(0) { best, _ in
            let start = ContinuousClock.now
            let work = body()
            return max(best, work / ((ContinuousClock.now - start) / .seconds(1)))
        }
    }
}
