import COpenBLAS

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The library of matrix products that a processor's speed is measured by, and which of its kernels it has chosen.
///
/// The network computes with kernels of its own: those of OpenBLAS round differently on different processors. OpenBLAS
/// 0.3.21 (Debian 12) does not know processors newer than itself and falls back to SSE kernels, seven times slower. Its
/// variable `OPENBLAS_CORETYPE` is read when the library is loaded, so that mending it takes a new start of the
/// program.
public enum OpenBLAS {
    /// The kernels in use, such as `SkylakeX`.
    public static var coreName: String { String(cString: openblas_get_corename()) }

    /// The core type that this processor deserves, where OpenBLAS fell back to an old one and the user did not choose.
    public static var betterCoreType: String? {
        let hasChoice = getenv("OPENBLAS_CORETYPE") != nil
        let best = InstructionSet.best
        guard !hasChoice, isOutdated(core: coreName, on: best) else { return nil }
        return best == .avx512 ? "SKYLAKEX" : "HASWELL"
    }

    /// Names of kernels with SSE at most.
    static let oldCores = [
        "prescott", "core2", "penryn", "dunnington", "nehalem", "atom", "generic", "katmai", "banias",
    ]
}
