import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct DamageTests {
    /// A small file of every kind of content, and all that can be read of it.
    private static func write(_ path: String) throws {
        try HDF5File.write(to: path) { file in
            try file.write(
                "/patches", shape: [2, 4, 4, 4], values: (0..<128).map { UInt8($0) }, compression: .deflate(4))
            try file.write("/model/weight", shape: [40], values: (0..<40).map(Float.init))
            try file.write("/series", strings: ["1.2.3", "4.5.6"])
            try file.setAttribute("format", to: "luna-shard")
            try file.setAttribute("origin", of: "/patches", to: [1.0, 2.0, 3.0])
        }
    }

    private struct Content: Equatable {
        var patches: [UInt8]
        var weight: [Float]
        var series: [String]
        var format: String
        var origin: [Double]

        init(_ path: String) throws {
            let file = try HDF5File(reading: path)
            patches = try file.read("/patches", shape: [2, 4, 4, 4], as: UInt8.self)
            weight = try file.read("/model/weight", shape: [nil], as: Float.self)
            series = try file.readStrings("/series")
            format = try file.attribute("format", as: String.self)
            origin = try file.attribute("origin", of: "/patches", as: [Double].self)
        }
    }

    @Test func anyFlippedByteIsAnErrorOrHarmless() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            try Self.write(path)
            let whole = try Content(path)
            let bytes = try FileContent.bytes(path)
            var found = 0
            for index in stride(from: 0, to: bytes.count, by: 7) {
                var damaged = bytes
                damaged[index] ^= 0x5A
                let copy = "\(directory)/b.h5"
                try Data(damaged).write(to: URL(fileURLWithPath: copy))
                do {
                    // Bytes that hold nothing (gaps, padding) may flip; content must not change unnoticed.
                    #expect(try Content(copy) == whole, "byte \(index) of \(bytes.count)")
                } catch let error as InputError {
                    #expect(error.file == copy)
                    found += 1
                }
            }
            #expect(found > 20)
        }
    }

    /// A group of many links is stored in a heap of its own; where that is damaged, to list the group is an error.
    @Test func aFlippedByteOfALargeGroupsNamesIsAnError() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            let names = (0..<60).map { "layer\($0 + 10).weight" }
            try HDF5File.write(to: path) { file in
                for name in names { try file.write("/model/\(name)", shape: [1], values: [1 as Float]) }
            }
            #expect(try HDF5File(reading: path).names(in: "/model") == names)
            let bytes = try FileContent.bytes(path)
            for name in [names[0], names[31], names[59]] {
                let start = try #require(bytes.indices.first { bytes[$0...].starts(with: name.utf8) })
                for (offset, bit) in [(0, 1), (5, 2), (name.utf8.count + 1, 64)] as [(Int, UInt8)] {
                    var damaged = bytes
                    damaged[start + offset] ^= bit
                    let copy = "\(directory)/b.h5"
                    try AtomicFile.write(damaged, to: copy)
                    let error = #expect(throws: InputError.self) {
                        try HDF5File(reading: copy).names(in: "/model")
                    }
                    #expect(error?.file == copy && error?.place == "/model")
                }
            }
        }
    }

    @Test func aFlippedByteOfADatasetIsNamed() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            try Self.write(path)
            var bytes = try FileContent.bytes(path)
            let needle = (0..<40).flatMap { value in
                withUnsafeBytes(of: Float(value).bitPattern.littleEndian, Array.init)
            }
            let start = try #require(bytes.indices.first { bytes[$0...].starts(with: needle) })
            bytes[start + 50] ^= 1
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let file = try HDF5File(reading: path)
            #expect {
                try file.read("/model/weight", as: Float.self)
            } throws: { error in
                guard let error = error as? InputError else { return false }
                return error.file == path && error.place == "/model/weight" && error.problem.contains("letcher")
            }
            let chunk = try file.dataset("/model/weight").rawChunk(row: 0)
            #expect(throws: InputError.self) { try chunk.decoded() }
            #expect(try file.readStrings("/series") == ["1.2.3", "4.5.6"])
        }
    }

    @Test(arguments: [0, 1, 47, 400, 2000])
    func aTruncatedFileIsRefused(length: Int) throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            try Self.write(path)
            let bytes = try FileContent.bytes(path)
            try #require(length < bytes.count)
            try Data(bytes.prefix(length)).write(to: URL(fileURLWithPath: path))
            #expect {
                _ = try HDF5File(reading: path)
            } throws: { ($0 as? InputError)?.file == path }
        }
    }

    @Test func whatIsMissingOrOfAnotherKindIsNamed() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            try Self.write(path)
            let file = try HDF5File(reading: path)
            func place(_ body: () throws -> Void) -> String? {
                do { try body() } catch { return (error as? InputError)?.place }
                return nil
            }
            #expect(place { _ = try file.read("/absent", as: Float.self) } == "/absent")
            #expect(place { _ = try file.read("/model", as: Float.self) } == "/model")
            #expect(place { _ = try file.read("/patches", as: Float.self) } == "/patches")
            #expect(place { _ = try file.read("/series", as: Float.self) } == "/series")
            #expect(place { _ = try file.readStrings("/patches") } == "/patches")
            #expect(place { _ = try file.read("/patches", shape: [2, 4, 4], as: UInt8.self) } == "/patches")
            #expect(place { _ = try file.attribute("format", as: Int64.self) } == "attribute format")
            #expect(throws: InputError.self) { try file.attribute("absent", as: Int64.self) }
            #expect(throws: InputError.self) { _ = try HDF5File(reading: "\(directory)/absent.h5") }
            #expect(throws: InputError.self) { _ = try HDF5File(reading: directory) }
        }
    }

    @Test func whatCannotBeWrittenIsAFileError() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: FileError.self) { _ = try HDF5File(creating: "\(directory)/no/such/a.h5") }
            let path = "\(directory)/a.h5"
            struct Stop: Error {}
            #expect(throws: Stop.self) { try HDF5File.write(to: path) { (_: borrowing HDF5File) in throw Stop() } }
            let left = try FileContent.names(inDirectory: directory)
            #expect(left.isEmpty)
        }
    }

    /// A dataset of 2^40 elements of which nothing is stored must not be allocated.
    @Test func extentsBeyondTheStoredBytesAreRefused() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.h5"
            try HDF5File.write(to: path) { file in
                _ = try file.createDataset("/huge", as: Float.self, shape: [1 << 20, 1 << 20], chunk: [1, 1 << 20])
            }
            let file = try HDF5File(reading: path)
            #expect(throws: InputError.self) { try file.read("/huge", as: Float.self) }
        }
    }
}
