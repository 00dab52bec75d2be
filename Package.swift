// swift-tools-version: 6.2
import PackageDescription

// Numeric code is optimised in debug builds too: at -Onone the tests would crawl.
let optimised: [SwiftSetting] = [
    .unsafeFlags(["-O", "-disable-batch-mode", "-wmo", "-num-threads", "2"], .when(configuration: .debug))
]

/// A kernel module: the sources of `Sources/Kernels` compiled for one instruction set.
///
/// `-Ounchecked` drops bounds and overflow checks, which cost a factor in inner loops; kernels take raw pointers
/// that their callers in `Compute` have checked.
func kernels(_ name: String, march: String?, wide: Bool = false) -> Target {
    var flags = ["-Ounchecked", "-disable-batch-mode", "-wmo", "-num-threads", "2"]
    if let march { flags += ["-Xcc", "-march=\(march)"] }
    let settings: [SwiftSetting] = [.unsafeFlags(flags)] + (wide ? [.define("WIDE_REGISTERS")] : [])
    return .target(name: name, dependencies: ["CKernels"], swiftSettings: settings)
}

// The folders KernelsAVX2 and KernelsAVX512 are links to KernelsBaseline: one source, three instruction sets, chosen at
// run time (Compute/InstructionSet.swift). What fits into an instruction set's registers differs: see Blocking.swift.
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

/// A library that other packages can use: a module, and beside it those whose types it takes, gives or throws.
func library(_ name: String, of module: String? = nil, beside others: [String] = []) -> Product {
    .library(name: name, targets: [module ?? name] + others)
}

// Only `scripts/fuzz` sets LUNA_FUZZ: the fuzzer's loop comes from libFuzzer, which plain builds do not link.
let fuzzer: [Target] =
    Context.environment["LUNA_FUZZ"] == nil
    ? [] : [.executableTarget(name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz")]

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
        library("Networks", of: "Network", beside: ["Basics", "Compute", "FileIO"]),
        library("TensorBoard", beside: ["FileIO", "Pictures"]),
    ],
    traits: [.trait(name: "DICOM", description: "Reads folders of DICOM slices; needs GDCM 3 (Debian: libgdcm-dev).")],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ] + docc,
    targets: [
        // Bottom to top: a target depends only on those above it in this list.
        system("CHDF5", pkgConfig: "hdf5", apt: "libhdf5-dev"),
        system("COpenMPI", pkgConfig: "ompi-c", apt: "libopenmpi-dev"),
        system("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        .target(name: "CSystem"),
        .target(name: "Basics", dependencies: ["CSystem"], swiftSettings: optimised),
        .target(name: "FileIO", dependencies: ["Basics", "CZlib"], swiftSettings: optimised),
        .target(name: "Scaling", dependencies: ["FileIO"]),
        .target(name: "Pictures", dependencies: ["CZlib", "FileIO"], swiftSettings: optimised),
        .target(name: "Protobuf"),
        .target(name: "TensorBoard", dependencies: ["Basics", "FileIO", "Pictures", "Protobuf"]),
        .target(name: "HDF5", dependencies: ["CHDF5", "CZlib", "FileIO"]),
        .target(name: "MPI", dependencies: ["COpenMPI"]),
        .target(name: "Exchange", dependencies: ["FileIO", "MPI"], swiftSettings: optimised),
        .target(name: "CKernels"),
        .target(
            name: "Compute",
            dependencies: ["Basics", "COpenBLAS", "CKernels"] + kernelTargets.map { .init(stringLiteral: $0.name) },
            swiftSettings: optimised),
        .target(name: "CT", dependencies: ["Basics", "FileIO", "CZlib"], swiftSettings: optimised),
        // Without the trait it is empty, and nothing of GDCM is looked for: no system-library target, whose pkg-config would
        // be asked whether it is used or not, and GDCM has none.
        .target(
            name: "CGDCM", cxxSettings: [.define("LUNA_DICOM", .when(traits: ["DICOM"]))],
            linkerSettings: ["gdcmMSFF", "gdcmDSED", "gdcmCommon"].map {
                .linkedLibrary($0, .when(traits: ["DICOM"]))
            }),
        .target(
            name: "DICOM",
            dependencies: [
                "Basics", "CT", "FileIO", .target(name: "CGDCM", condition: .when(traits: ["DICOM"])),
            ],
            swiftSettings: optimised),
        .target(name: "Network", dependencies: ["Basics", "Compute", "HDF5", "FileIO"], swiftSettings: optimised),
        .target(
            name: "Interchange", dependencies: ["FileIO", "Network", "Protobuf"], swiftSettings: optimised),
        .target(name: "Evaluation", dependencies: ["Basics", "FileIO"], swiftSettings: optimised),
        .target(name: "Detection", dependencies: ["Basics"], swiftSettings: optimised),
        .target(
            name: "PatchData", dependencies: ["Basics", "CT", "Detection", "HDF5", "FileIO"],
            swiftSettings: optimised),
        .target(
            name: "Views",
            dependencies: ["Basics", "CT", "Detection", "Evaluation", "FileIO", "PatchData", "Pictures"],
            swiftSettings: optimised),
        .target(
            name: "Report",
            dependencies: [
                "Basics", "CT", "Evaluation", "FileIO", "PatchData", "Pictures", "Scaling", "Views",
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            swiftSettings: optimised),
        .target(
            name: "Inference",
            dependencies: ["Basics", "CT", "Detection", "Evaluation", "FileIO", "MPI", "Network", "PatchData"],
            swiftSettings: optimised),
        .target(
            name: "Learning", dependencies: ["Basics", "Compute", "Detection", "Network"],
            swiftSettings: optimised),
        .target(name: "Diagnosis", dependencies: ["Basics", "Compute", "FileIO", "HDF5", "MPI"]),
        .target(
            name: "Training",
            dependencies: [
                "Basics", "Compute", "Detection", "Evaluation", "Exchange", "FileIO", "HDF5", "Inference", "Learning",
                "MPI", "Network", "PatchData", "TensorBoard", "Views", .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: optimised),
        .executableTarget(
            name: "luna",
            dependencies: [
                "Basics", "CT", "Compute", "DICOM", "Detection", "Diagnosis", "Evaluation", "Exchange", "FileIO",
                "HDF5", "Inference", "Interchange", "Learning", "MPI", "Network", "PatchData", "Report", "Scaling",
                "Training", "Views",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "MPITestSupport", dependencies: ["MPI"], path: "Tests/MPITestSupport"),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Basics", "CT", "Evaluation", "FileIO", "HDF5", "Interchange", "Network", "PatchData", "Training",
            ],
            path: "Tests/FuzzTargets"),
    ] + kernelTargets + fuzzer
        + [
            "Basics", "FileIO", "Pictures", "Protobuf", "TensorBoard", "HDF5", "MPI", "Exchange", "Compute", "CT",
            "DICOM", "Network",
            "Interchange", "Evaluation", "Detection", "PatchData", "Inference", "Views", "Report", "Training",
            "Diagnosis", "Scaling", "Learning", "FuzzTargets",
        ].map { module in
            .testTarget(
                name: "\(module)Tests",
                dependencies: [.init(stringLiteral: module), "TestSupport"] + (beside[module] ?? []),
                exclude: fixtures.contains(module) ? ["Fixtures"] : [], swiftSettings: optimised)
        } + [
            // Runs the built command as a user does, under mpirun too.
            .testTarget(
                name: "CommandTests",
                dependencies: ["luna", "TestSupport", "CT", "HDF5", "FileIO", .product(name: "Yams", package: "Yams")])
        ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

/// Modules whose tests read files made by the scripts in `scripts/fixtures` (`Repository.fixture`).
var fixtures: Set<String> { ["CT", "DICOM", "Evaluation", "Learning", "Network", "FuzzTargets"] }

/// What tests use beside their module and what it depends on.
var beside: [String: [Target.Dependency]] {
    [
        "Detection": ["FileIO"], "Network": ["Detection"], "Learning": ["FileIO"], "Pictures": ["CZlib"], "Interchange": ["Basics", "HDF5"],
        "FuzzTargets": ["FileIO", "PatchData", "Training"],
        "Scaling": ["Basics", "FileIO"], "Exchange": ["MPITestSupport"], "Training": ["MPITestSupport"],
    ]
}
