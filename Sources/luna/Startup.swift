// The first act of every command that computes: have OpenBLAS choose the right kernels, and count the cores.

import Basics
import Compute
import Foundation

enum Startup {
    /// Starts the program anew where OpenBLAS has fallen back to kernels of an old processor; see `OpenBLAS`. The
    /// user's own `OPENBLAS_CORETYPE` wins.
    static func prepare() {
        guard let coreType = OpenBLAS.betterCoreType else { return }
        setenv("OPENBLAS_CORETYPE", coreType, 1)
        setenv("OPENBLAS_NUM_THREADS", "1", 0)
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        // Where the system refuses, the old kernels still compute correctly.
        unsetenv("OPENBLAS_CORETYPE")
    }

    /// The arithmetic in use, as the log tells it.
    static func describe(_ engine: Engine) -> String {
        "kernels \(engine.instructionSet), OpenBLAS core \(OpenBLAS.coreName), \(engine.pool.threads) threads"
    }

    /// The threads of a rank that was told nothing: the cores it may use, shared with the ranks on its host where the
    /// launcher bound them all to the same ones.
    static var defaultThreads: Int {
        let cores = ThreadPool.availableCores
        let isBound = cores < ProcessInfo.processInfo.processorCount
        let local = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap(Int.init) ?? 1
        return isBound ? cores : max(1, cores / local)
    }
}
