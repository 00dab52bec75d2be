import Basics
import FileIO
import Foundation
import TestSupport
import Testing

@testable import DICOM

/// The series that `scripts/fixtures/dicom.py` has made, and what SimpleITK reads of them.
struct Fixture: Decodable, Sendable {
    struct Expected: Decodable, Sendable {
        var extent: [Int]
        var spacing: [Double]
        var origin: [Double]
        var orientation: [Double]
        var voxels: [Double]?
        var crc32: UInt32?
    }

    struct Case: Decodable, Sendable {
        var files: [String: String]
        var expected: Expected?
    }

    var files: [String: Data]
    var cases: [String: Case]
    var real: [String: Expected]

    static let shared = Result { try Repository.fixture("series.json", as: Fixture.self) }

    /// A file's bytes.
    func bytes(_ name: String, of series: String) throws -> [UInt8] {
        let key = try #require(cases[series]?.files[name])
        let stored = [UInt8](try #require(files[key]))
        return stored.starts(with: "DICM".utf8) ? [UInt8](repeating: 0, count: 128) + stored : stored
    }

    /// Runs `body` with a folder that holds the files of a case.
    static func withFolder<T>(_ series: String, _ body: (String) throws -> T) throws -> T {
        let fixture = try shared.get()
        return try withTemporaryDirectory { folder in
            for name in try #require(fixture.cases[series]).files.keys {
                let path = "\(folder)/\(name)"
                try FileContent.makeDirectory(Path.directory(of: path))
                try AtomicFile.write(fixture.bytes(name, of: series), to: path)
            }
            return try body(folder)
        }
    }

    /// The series of a folder, whether or not this build decodes compressed ones.
    static func series(_ folder: String, uid: String? = nil) throws -> DICOMSeries {
        try DICOMSeries(DICOMFolder(folder), folder: folder, uid: uid)
    }
}
