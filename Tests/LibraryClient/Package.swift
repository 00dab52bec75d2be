// swift-tools-version: 6.2
import PackageDescription

// Another package, as someone writes it who wants luna's libraries and not the command. `scripts/library-client` builds
// it against this checkout and runs it.
let package = Package(
    name: "LibraryClient",
    dependencies: [.package(name: "luna", path: "../..")],
    targets: [
        .executableTarget(
            name: "LibraryClient",
            dependencies: ["CT", "Evaluation", "HDF5", "MPI", "Networks", "TensorBoard"].map {
                .product(name: $0, package: "luna")
            })
    ],
    swiftLanguageModes: [.v6]
)
