import Basics
import COpenBLAS

extension OpenBLAS {
    /// The speed at which each thread of a pool multiplies matrices while the others do, too.
    ///
    /// - Parameters:
    ///   - pool: Its threads multiply matrices of 256 rows and columns in single precision.
    ///   - seconds: The time that every thread takes, s.
    /// - Returns: Billions of floating-point operations a second, the mean over threads.
    public static func productSpeed(pool: ThreadPool, seconds: Double = 0.1) -> Double {
        openblas_set_num_threads(1)
        let side = 256
        let count = side * side
        let operations = 2 * Double(count * side)
        let speeds = UnsafeMutableBufferPointer<Double>.allocate(capacity: pool.threads)
        defer { speeds.deallocate() }
        speeds.initialize(repeating: 0)
        let results = UnsafeMutableBufferPointer<Float>.allocate(capacity: pool.threads * count)
        defer { results.deallocate() }
        results.initialize(repeating: 0)
        let factor = [Float](repeating: 0.5, count: count)
        let base = results.baseAddress.unsafelyUnwrapped
        pool.run(pool.threads) { item, _ in
            var products = -1  // the first one finds its memory
            var start = ContinuousClock.now
            var elapsed = 0.0
            while elapsed < seconds {
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(side), Int32(side), Int32(side), 1, factor,
                    Int32(side), factor, Int32(side), 0, base + item * count, Int32(side))
                products += 1
                if products == 0 { start = .now }
                elapsed = (ContinuousClock.now - start) / .seconds(1)
            }
            speeds[item] = Double(products) * operations / elapsed / 1e9
        }
        return speeds.reduce(0, +) / Double(pool.threads)
    }

    /// Whether kernels are those of processors without the vector instructions that this one has.
    public static func isOutdated(core: String, on best: InstructionSet) -> Bool {
        best != .baseline && oldCores.contains(core.lowercased())
    }
}
