import Basics
import Testing

@testable import Compute

@Suite struct OpenBLASTests {
    @Test func outdatedKernels() {
        #expect(OpenBLAS.isOutdated(core: "Prescott", on: .avx512) && OpenBLAS.isOutdated(core: "NEHALEM", on: .avx2))
        #expect(!OpenBLAS.isOutdated(core: "Prescott", on: .baseline))
        #expect(!OpenBLAS.isOutdated(core: "SkylakeX", on: .avx512))
    }

    @Test func productsAreTimedOnAllThreads() {
        let pool = ThreadPool(threads: 2)
        defer { pool.stop() }
        let speed = OpenBLAS.productSpeed(pool: pool, seconds: 0.01)
        #expect(speed > 0 && speed.isFinite)
    }
}
