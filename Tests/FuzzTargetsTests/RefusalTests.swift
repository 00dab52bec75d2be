import FileIO
import Foundation
import PatchData
import TestSupport
import Testing
import Training

/// Hostile inputs for which it is not enough that nothing traps: each is refused for what is wrong with it.
@Suite struct RefusalTests {
    @Test(arguments: [
        ("volume/data-elsewhere", "/d", "lie in other files"), ("virtual-data", "/d", "lie in other files"),
        ("volume/link-elsewhere", "/model", "missing"), ("volume/filter-scaleoffset", "/d", "filter 6"),
        ("volume/chunk-of-256-mebibytes", "/d", "268435456 bytes"),
        ("volume/chunk-that-unpacks-to-less", "/d [0]", "unpacks to 50 bytes"),
        ("volume/group-along-many-paths", nil, "65,536 links"),
    ])
    func inspectionRefuses(_ name: String, _ place: String?, _ problem: String) throws {
        let path = Repository.fixture(name)
        let error = try #require(throws: InputError.self) { _ = try Inspection(path) }
        #expect(error.file == path && error.problem.contains(problem), "\(error)")
        if let place { #expect(error.place == place) }
    }

    /// Listed, since they may lie in a good file, but never converted by the library.
    @Test(arguments: [
        ("bits-elsewhere", "a type that is not used here"), ("variable-text", "string of variable length"),
    ])
    func inspectionOnlyNames(_ name: String, _ type: String) throws {
        #expect(try Inspection(Repository.fixture("volume/\(name)")).objects.map(\.type) == [type])
    }

    @Test func aDirectionIsOneOrMinusOne() throws {
        let error = try #require(throws: InputError.self) {
            _ = try CleanVolumeFile.read(Repository.fixture("volume/direction-minimum"))
        }
        #expect(error.place == "attribute direction")
    }

    @Test func countsWithoutSumAreRefused() throws {
        let path = Repository.fixture("manifest/counts-overflow")
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("luna-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try AtomicFile.write(try FileContent.bytes(path), to: DatasetManifest.path(in: directory.path))
        let error = try #require(throws: InputError.self) { _ = try DatasetManifest(directory: directory.path) }
        #expect(error.place == "folds")
    }

    @Test(arguments: [
        ("base-60-overflow", "expected a whole number"), ("aliases-of-aliases", "aliases"), ("nested", "nesting"),
    ])
    func configurationsAreRefused(_ name: String, _ problem: String) throws {
        let path = Repository.fixture("configuration/\(name)")
        let error = try #require(throws: InputError.self) { _ = try TrainingConfiguration.read(path) }
        #expect(error.problem.contains(problem) && error.problem.utf8.count < 400, "\(error)")
    }

    /// A mebibyte would be compared with every key for a minute.
    @Test func aLongKeyIsNotSearchedFor() throws {
        let text = "? " + String(repeating: "k", count: 1 << 19) + "\n: 1\n"
        let error = try #require(throws: InputError.self) { _ = try TrainingConfiguration.parse(text, file: "a") }
        #expect(error.problem.contains("524288 bytes"))
    }

    @Test(arguments: ["line-break-in-path", "odd-characters-in-path"])
    func whatIsPrintedReadsAsItWas(_ name: String) throws {
        let configuration = try TrainingConfiguration.read(Repository.fixture("configuration/\(name)"))
        #expect(configuration.initialWeights?.isEmpty == false)
        #expect(try TrainingConfiguration.parse(configuration.yaml(), file: name) == configuration)
    }
}
