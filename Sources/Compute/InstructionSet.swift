import CKernels
import KernelsBaseline

#if canImport(KernelsAVX512)
    import KernelsAVX2
    import KernelsAVX512
#endif
#if canImport(Glibc)
    import Glibc
#endif

/// The vector instructions that the kernels are compiled for. A program holds all of them and picks one at start.
public enum InstructionSet: Int, CaseIterable, Comparable, Sendable {
    /// The instructions of every processor of the architecture: SSE2 on x86-64, NEON on arm64.
    case baseline
    /// AVX2 and FMA (Haswell, Zen and later).
    case avx2
    /// AVX-512 F, DQ, BW, VL, CD (Skylake-X, Zen 4 and later).
    case avx512

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// The best that this processor has, or what the environment variable `LUNA_ISA` (`baseline`, `avx2`, `avx512`)
    /// lowers it to.
    public static var best: InstructionSet {
        let supported = InstructionSet(rawValue: Int(ck_instruction_set())) ?? .baseline
        guard let wanted = getenv("LUNA_ISA").map({ String(cString: $0) }) else { return supported }
        return min(supported, named(wanted) ?? supported)
    }

    /// The instruction set of a name such as `avx2`; nil for any other text.
    public static func named(_ name: String) -> InstructionSet? { allCases.first { "\($0)" == name } }

    var kernels: ck_kernels {
        #if canImport(KernelsAVX512)
            switch self {
            case .baseline: KernelsBaseline.kernelTable()
            case .avx2: KernelsAVX2.kernelTable()
            case .avx512: KernelsAVX512.kernelTable()
            }
        #else
            KernelsBaseline.kernelTable()
        #endif
    }
}
