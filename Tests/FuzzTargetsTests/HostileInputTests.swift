import FileIO
import Foundation
import TestSupport
import Testing

@testable import FuzzTargets

/// What the fuzzer once found, made small: `Fixtures/<target>/<what it did>`.
@Suite struct HostileInputTests {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func everyInputIsReadOrRefused(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let folder = Repository.fixture(name)
        let inputs = FileContent.isDirectory(folder) ? try FileContent.names(inDirectory: folder) : []
        try withTemporaryDirectory { directory in
            for input in inputs {
                let bytes = try FileContent.bytes("\(folder)/\(input)")
                #expect(throws: Never.self, "\(input)") {
                    try bytes.withUnsafeBytes { try target.run($0, in: directory) }
                }
            }
        }
    }

    /// The fuzzer begins with files that all readers of their kind accept.
    @Test(arguments: FuzzTarget.all.map(\.name))
    func seedsAreRead(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        try withTemporaryDirectory { directory in
            let seeds = try target.seeds(in: directory)
            #expect(!seeds.isEmpty)
            for seed in seeds { try seed.withUnsafeBytes { try target.run($0, in: directory) } }
        }
    }
}
