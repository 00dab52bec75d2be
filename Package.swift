// swift-tools-version: 6.2
import PackageDescription

// A file names every module whose members it uses: what a module needs can be read from its imports.
let strict: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility")]

// Numeric code is optimised in debug builds too: at -Onone the tests would crawl.
let optimised: [SwiftSetting] =
    strict + [.unsafeFlags(["-O", "-disable-batch-mode", "-wmo", "-num-threads", "2"], .when(configuration: .debug))]

/// A kernel module: the sources of `Sources/Kernels` compiled for one instruction set.
///
/// `-Ounchecked` drops bounds and overflow checks, which cost a factor in inner loops. Kernels take raw pointers: their
/// only caller, `Engine` in `Compute`, checks widths, extents and counts of each call (`Engine+Checks.swift`), and asks
/// the kernel itself how much scratch memory it wants.
func kernels(_ name: String, march: String?, wide: Bool = false) -> Target {
    var flags = ["-Ounchecked", "-disable-batch-mode", "-wmo", "-num-threads", "2"]
    if let march { flags += ["-Xcc", "-march=\(march)"] }
    let settings: [SwiftSetting] = strict + [.unsafeFlags(flags)] + (wide ? [.define("WIDE_REGISTERS")] : [])
    return .target(name: name, dependencies: ["CKernels"], swiftSettings: settings)
}

// The folders KernelsBaseline, KernelsAVX2 and KernelsAVX512 are links to Kernels: one source, three instruction sets,
// chosen at run time (Compute/InstructionSet.swift). What fits into an instruction set's registers differs: see
// Blocking.swift.
#if arch(x86_64)
    let kernelTargets = [
        kernels("KernelsBaseline", march: nil),
        kernels("KernelsAVX2", march: "haswell"),
        kernels("KernelsAVX512", march: "skylake-avx512", wide: true),
    ]
#else
    let kernelTargets = [kernels("KernelsBaseline", march: nil)]
#endif

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// The tests of a module, which use what it uses and `others`.
func tests(of module: String, _ others: Target.Dependency..., fixtures: Bool = false) -> Target {
    .testTarget(
        name: "\(module)Tests", dependencies: [.init(stringLiteral: module)] + others,
        exclude: fixtures ? ["Fixtures"] : [], swiftSettings: optimised)
}

/// A library that other packages can use: a module, and beside it those whose types it takes, gives or throws.
func library(_ name: String, of module: String? = nil, beside others: [String] = []) -> Product {
    .library(name: name, targets: [module ?? name] + others)
}

// Only `scripts/fuzz` sets LUNA_FUZZ: the fuzzer's loop comes from libFuzzer, which plain builds do not link.
let fuzzer: [Target] =
    Context.environment["LUNA_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "Fuzz", dependencies: ["FileIO", "FuzzTargets"], path: "Tests/Fuzz", swiftSettings: strict)
    ]

// Only `scripts/docs` sets LUNA_DOCC: nobody needs the plugin to build luna.
let docc: [Package.Dependency] =
    Context.environment["LUNA_DOCC"] == nil
    ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0")]

let package = Package(
    name: "luna",
    products: [
        .executable(name: "luna", targets: ["luna"]),
        library("CT", beside: ["Basics", "FileIO"]),
        library("Evaluation", beside: ["FileIO"]),
        library("HDF5", beside: ["FileIO"]),
        library("MPI"),
        library("Networks", beside: ["Basics", "Compute", "FileIO"]),
        library("TensorBoard", beside: ["FileIO", "Pictures"]),
    ],
    traits: [.trait(name: "DICOM", description: "Reads folders of DICOM slices; needs GDCM 3 (Debian: libgdcm-dev).")],
    // Exact versions: a promise of equal bits needs equal dependencies.
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
    ] + docc,
    targets: [
        // Bottom to top: a target depends only on those above it in this list. First what wraps C.
        .target(name: "CSystem"),
        .target(name: "CKernels"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CHDF5", pkgConfig: "hdf5", apt: "libhdf5-dev"),
        system("COpenMPI", pkgConfig: "ompi-c", apt: "libopenmpi-dev"),
        system("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),
        // Without the trait it is empty, and nothing of GDCM is looked for: no system-library target, whose pkg-config
        // would be asked whether it is used or not, and GDCM has none.
        .target(
            name: "CGDCM", cxxSettings: [.define("LUNA_DICOM", .when(traits: ["DICOM"]))],
            linkerSettings: ["gdcmMSFF", "gdcmDSED", "gdcmCommon"].map {
                .linkedLibrary($0, .when(traits: ["DICOM"]))
            }),
    ] + kernelTargets + [
        // What needs no engine.
        .target(name: "Basics", dependencies: ["CSystem"], swiftSettings: optimised),
        .target(name: "FileIO", dependencies: ["Basics", "CZlib"], swiftSettings: optimised),
        .target(name: "Pictures", dependencies: ["CZlib", "FileIO"], swiftSettings: optimised),
        .target(name: "Protobuf", swiftSettings: strict),
        .target(
            name: "TensorBoard", dependencies: ["Basics", "FileIO", "Pictures", "Protobuf"], swiftSettings: strict),
        .target(name: "HDF5", dependencies: ["CHDF5", "CZlib", "FileIO"], swiftSettings: strict),
        .target(name: "MPI", dependencies: ["COpenMPI"], swiftSettings: strict),
        .target(name: "CT", dependencies: ["Basics", "CZlib", "FileIO"], swiftSettings: optimised),
        .target(
            name: "DICOM",
            dependencies: ["Basics", "CT", "FileIO", .target(name: "CGDCM", condition: .when(traits: ["DICOM"]))],
            swiftSettings: optimised),
        .target(name: "Annotations", dependencies: ["Basics", "CT", "FileIO"], swiftSettings: optimised),
        .target(name: "Evaluation", dependencies: ["Basics", "FileIO"], swiftSettings: optimised),
        .target(name: "Detection", dependencies: ["Basics"], swiftSettings: optimised),
        .target(
            name: "PatchData", dependencies: ["Annotations", "Basics", "CT", "Detection", "FileIO", "HDF5"],
            swiftSettings: optimised),
        .target(name: "Runs", dependencies: ["Basics", "FileIO"], swiftSettings: strict),
        .target(name: "Exchange", dependencies: ["FileIO", "MPI"], swiftSettings: optimised),

        // The engine, and what computes with it.
        .target(
            name: "Compute",
            dependencies: ["Basics", "CKernels", "COpenBLAS"] + kernelTargets.map { .init(stringLiteral: $0.name) },
            swiftSettings: optimised),
        .target(name: "Networks", dependencies: ["Basics", "Compute", "FileIO", "HDF5"], swiftSettings: optimised),
        .target(
            name: "Interchange", dependencies: ["FileIO", "Networks", "Protobuf"], swiftSettings: optimised),
        .target(
            name: "Inference",
            dependencies: ["Basics", "CT", "Detection", "Evaluation", "FileIO", "MPI", "Networks", "PatchData"],
            swiftSettings: optimised),
        .target(
            name: "Diagnosis", dependencies: ["Basics", "Compute", "FileIO", "HDF5", "MPI"], swiftSettings: strict),
        .target(
            name: "Views",
            dependencies: ["Basics", "CT", "Detection", "Evaluation", "FileIO", "PatchData", "Pictures"],
            swiftSettings: optimised),
        .target(
            name: "Learning", dependencies: ["Basics", "Compute", "Detection", "Networks"],
            swiftSettings: optimised),
        .target(name: "Scaling", dependencies: ["FileIO", "Runs"], swiftSettings: strict),
        .target(
            name: "Report",
            dependencies: [
                "Basics", "CT", "Evaluation", "FileIO", "PatchData", "Pictures", "Runs", "Scaling", "Views",
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            swiftSettings: optimised),
        .target(
            name: "Training",
            dependencies: [
                "Basics", "CT", "Compute", "Detection", "Evaluation", "Exchange", "FileIO", "HDF5", "Inference",
                "Learning", "MPI", "Networks", "PatchData", "Pictures", "Runs", "TensorBoard", "Views",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: optimised),
        .executableTarget(
            name: "luna",
            dependencies: [
                "Annotations", "Basics", "CT", "Compute", "DICOM", "Detection", "Diagnosis", "Evaluation", "Exchange",
                "FileIO", "HDF5", "Inference", "Interchange", "Learning", "MPI", "Networks", "PatchData",
                "Pictures", "Report", "Runs", "Scaling", "Training", "Views",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // Tests, and what several of them use.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(name: "MPITestSupport", dependencies: ["MPI"], path: "Tests/MPITestSupport", swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Annotations", "Basics", "CT", "Evaluation", "FileIO", "HDF5", "Interchange", "Networks", "PatchData",
                "Training",
            ],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        tests(of: "Basics"),
        tests(of: "FileIO", "TestSupport"),
        tests(of: "Pictures", "CZlib", "FileIO", "TestSupport"),
        tests(of: "Protobuf"),
        tests(of: "TensorBoard", "FileIO", "Pictures", "Protobuf", "TestSupport"),
        tests(of: "HDF5", "FileIO", "TestSupport"),
        tests(of: "MPI"),
        tests(of: "CT", "Basics", "FileIO", "TestSupport", fixtures: true),
        tests(of: "DICOM", "Basics", "CT", "FileIO", "TestSupport", fixtures: true),
        tests(of: "Annotations", "Basics", "CT", "FileIO", "TestSupport"),
        tests(of: "Evaluation", "Basics", "FileIO", "TestSupport", fixtures: true),
        tests(of: "Detection", "Basics", "FileIO"),
        tests(of: "PatchData", "Basics", "CT", "Detection", "FileIO", "HDF5", "TestSupport"),
        tests(of: "Runs", "Basics", "FileIO", "TestSupport"),
        tests(of: "Exchange", "FileIO", "MPI", "MPITestSupport"),
        tests(of: "Compute", "Basics"),
        tests(
            of: "Networks", "Basics", "Compute", "Detection", "FileIO", "HDF5", "TestSupport", fixtures: true),
        tests(
            of: "Learning", "Basics", "Compute", "Detection", "FileIO", "Networks", "TestSupport", fixtures: true),
        tests(of: "Interchange", "Basics", "Compute", "FileIO", "HDF5", "Networks", "Protobuf", "TestSupport"),
        tests(
            of: "Inference", "Basics", "CT", "Compute", "Detection", "Evaluation", "FileIO", "MPI", "Networks",
            "TestSupport"),
        tests(of: "Diagnosis", "Basics", "FileIO", "MPI", "TestSupport"),
        tests(
            of: "Views", "Basics", "CT", "Detection", "Evaluation", "FileIO", "PatchData", "Pictures", "TestSupport"),
        tests(of: "Scaling", "Basics", "FileIO", "TestSupport"),
        tests(of: "Report", "Basics", "CT", "Evaluation", "FileIO", "PatchData", "TestSupport"),
        tests(
            of: "Training", "Basics", "CT", "Compute", "Detection", "Exchange", "FileIO", "HDF5", "Learning", "MPI",
            "MPITestSupport", "Networks", "PatchData", "Runs", "TestSupport"),
        tests(of: "FuzzTargets", "FileIO", "PatchData", "TestSupport", "Training", fixtures: true),
        // Runs the built command as a user does, under mpirun too.
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "luna", "Basics", "CT", "FileIO", "HDF5", "TestSupport", .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
    ] + fuzzer,
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
