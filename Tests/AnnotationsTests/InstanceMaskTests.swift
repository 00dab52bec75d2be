import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import Annotations

/// nnDetection's masks of instances.
@Suite struct InstanceMaskTests {
    private static let extent = [24, 20, 12]
    private static let spacing = [0.7, 0.8, 2.0]
    /// The voxels of two balls, and how many the first has.
    private static let balls: (voxels: [UInt8], counts: [Int]) = {
        var voxels: [UInt8] = []
        var counts = [0, 0]
        for z in 0..<extent[2] {
            for y in 0..<extent[1] {
                for x in 0..<extent[0] {
                    let inside = middles.firstIndex { middle in
                        let way = zip(zip([x, y, z], middle).map { Double($0 - $1) }, spacing).map { $0 * $1 }
                        return way.reduce(0) { $0 + $1 * $1 } <= 9.0
                    }
                    voxels.append(inside.map { UInt8($0 + 1) } ?? 0)
                    if let inside { counts[inside] += 1 }
                }
            }
        }
        return (voxels, counts)
    }()
    private static let middles = [[7, 8, 4], [16, 11, 8]]

    /// Calls `body` with a folder that has the labels of the case `1_2_3`.
    private func withLabels(
        signs: [Double] = [1, 1, 1], json: String = #"{"instances": {"1": 0, "2": 0}}"#, folder: String = "labelsTr",
        _ body: (_ directory: String, _ labels: String) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let labels = "\(directory)/\(folder)"
            try FileContent.makeDirectory(labels)
            let origin = [30.0, -40, 50]
            let affine = (0..<3).map { axis in
                (0..<3).map { $0 == axis ? signs[axis] * Self.spacing[axis] : 0 } + [origin[axis]]
            }
            try MadeNIfTI.write(
                Self.balls.voxels, extent: Self.extent, affine: affine, type: 2, to: "\(labels)/1_2_3.nii")
            try AtomicFile.write(json, to: "\(labels)/1_2_3.json")
            try AtomicFile.write(#"{"instances": {}}"#, to: "\(labels)/1_2_4.json")
            try body(directory, labels)
        }
    }

    private func nodules(_ list: AnnotationList, _ scan: String) throws -> [NoduleAnnotation] {
        try list.nodules(of: scan) { throw InputError(scan, "the frame was asked for") }
    }

    @Test(arguments: [[1.0, 1, 1], [-1, -1, 1], [-1, 1, -1]])
    func middlesAreThoseOfTheWorld(signs: [Double]) throws {
        try withLabels(signs: signs) { _, labels in
            let list = try AnnotationList(contentsOf: labels)
            #expect(try list.series(among: ["1.2.3", "9"]) == ["1.2.3", "1_2_4"])
            let found = try nodules(list, "1.2.3")
            try #require(found.count == 2)
            for (index, nodule) in found.enumerated() {
                // From the definition: RAS is the affine of the index, LPS turns x and y.
                let ras = (0..<3).map { axis in
                    [30, -40, 50][axis] + signs[axis] * Self.spacing[axis] * Double(Self.middles[index][axis])
                }
                let center = nodule.center
                #expect(abs(center.x + ras[0]) < 1e-5 && abs(center.y + ras[1]) < 1e-5 && abs(center.z - ras[2]) < 1e-5)
                let volume = Double(Self.balls.counts[index]) * 0.7 * 0.8 * 2
                #expect(abs(nodule.diameter - pow(6 * volume / .pi, 1.0 / 3)) < 1e-6)
                #expect(abs(nodule.diameter - 6) < 0.5)
            }
            #expect(try nodules(list, "1.2.4").isEmpty && nodules(list, "1.2.5").isEmpty)
        }
    }

    @Test func aTaskAndAFileAndImagesAreKnown() throws {
        try withLabels(folder: "raw_splitted/labelsTr") { directory, labels in
            try AtomicFile.write("{\"labels\": {\"0\": \"lesion\"}}", to: "\(directory)/dataset.json")
            let expected = try nodules(AnnotationList(contentsOf: labels), "1.2.3")
            for path in [directory, "\(labels)/1_2_3.json"] {
                let list = try AnnotationList(contentsOf: path)
                #expect(list.form.hasPrefix("nnDetection's"))
                for name in ["1.2.3", "1_2_3", "1_2_3_0000"] { #expect(try nodules(list, name) == expected) }
            }
            let list = try AnnotationList(contentsOf: directory)
            let error = try #require(throws: InputError.self) { try list.series(among: ["1.2.3", "1_2_3"]) }
            #expect(error.description.contains("could be the scan 1.2.3 or 1_2_3"))
            let sum = try list.checksum()
            try AtomicFile.write(#"{"instances": {"2": 0, "1": 0}}"#, to: "\(labels)/1_2_3.json")
            #expect(try AnnotationList(contentsOf: directory).checksum() != sum)
        }
    }

    @Test(arguments: [
        (#"{"instances": {"1": 0, "2": 1}}"#, "instances.2", "class 1"),
        (#"{"instances": {"0": 0}}"#, "instances.0", "number of an instance"),
        (#"{"instances": {"01": 0}}"#, "instances.01", "number of an instance"),
        (#"{"instances": {"one": 0}}"#, "instances.one", "number of an instance"),
        (#"{"instances": {"1": "0"}}"#, "instances.1", "expected a number"),
        (#"{"instances": [0]}"#, "instances", "expected an object"),
        (#"{"instances": {"1": 0"#, nil, "not valid JSON"),
        (#"{"instances": {"1": 0}}"#, nil, "holds the instance 2"),
        (#"{"instances": {"1": 0, "2": 0, "7": 0}}"#, nil, "no voxel of the instance 7"),
    ])
    func whatIsWrongIsNamed(json: String, place: String?, problem: String) throws {
        try withLabels(json: json) { _, labels in
            let error = try #require(throws: InputError.self) {
                try nodules(AnnotationList(contentsOf: labels), "1.2.3")
            }
            #expect(error.place == place && error.description.contains(problem), "\(error)")
            #expect(error.file.contains("1_2_3"))
        }
    }

    @Test func whatIsMissingIsNamed() throws {
        try withLabels { _, labels in
            try FileManager.default.moveItem(atPath: "\(labels)/1_2_3.nii", toPath: "\(labels)/5.nii")
            let strange = try #require(throws: InputError.self) { try AnnotationList(contentsOf: labels) }
            #expect(strange.description.contains("a mask without 5.json"))
            try FileManager.default.removeItem(atPath: "\(labels)/5.nii")
            let list = try AnnotationList(contentsOf: labels)
            let missing = try #require(throws: InputError.self) { try nodules(list, "1.2.3") }
            #expect(missing.description.contains("no mask 1_2_3.nii.gz"))
        }
        try withTemporaryDirectory { directory in
            let error = try #require(throws: InputError.self) { try AnnotationList(contentsOf: directory) }
            #expect(error.description.contains("a folder without a list of nodules"))
        }
    }
}
