// A little of each library of luna's, from outside: only what their products promise is imported, and nothing with
// @testable.

import Basics
import CT
import Compute
import Evaluation
import FileIO
import Foundation
import HDF5
import MPI
import Networks
import Pictures
import TensorBoard

/// A result that is not what the library promises.
struct Surprise: Error, CustomStringConvertible {
    var description: String
}

func expect(_ condition: Bool, _ description: String) throws {
    if !condition { throw Surprise(description: description) }
}

@main struct LibraryClient {
    static func main() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "luna-client-\(getpid())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try storeNumbers(in: "\(directory)/numbers.h5")
        try refuseMissingFile("\(directory)/none.h5")
        try talkToOneself()
        try cleanPhantom(in: directory)
        try evaluateDetector()
        try logCurve(in: "\(directory)/tensorboard")
        try runNetwork()
        print("library-client: CT, Evaluation, HDF5, MPI, Networks and TensorBoard serve another package")
    }

    static func storeNumbers(in path: String) throws {
        let numbers: [Float] = [1, 2, 3, 4, 5, 6]
        try HDF5File.write(to: path) { file in
            try file.write("/model/weight", shape: [2, 3], values: numbers)
            try file.setAttribute("format", to: "client")
        }
        let file = try HDF5File(reading: path)
        let weight = try file.read("/model/weight", as: Float.self)
        try expect(weight.shape == [2, 3] && weight.values == numbers, "HDF5 gave back \(weight)")
        try expect(try file.attribute("format", as: String.self) == "client", "HDF5 lost an attribute")
    }

    /// A library's errors are for its caller, who decides whether the program ends.
    static func refuseMissingFile(_ path: String) throws {
        do {
            _ = try HDF5File(reading: path)
        } catch let error as InputError {
            return try expect(error.description.contains("none.h5"), "an error that names no file: \(error)")
        }
        throw Surprise(description: "HDF5 opened a file that is not there")
    }

    static func talkToOneself() throws {
        let communicator: any Communicator = SingleCommunicator()
        try communicator.barrier()
        var values = [3, 4]
        try communicator.sum(&values)
        let texts = try communicator.gather(text: "alone")
        try expect(
            communicator.size == 1 && values == [3, 4] && texts == ["alone"], "one rank's sum was \(values), \(texts)")
    }

    static func cleanPhantom(in directory: String) throws {
        let phantom = PhantomScan(index: 0, seed: 1, size: 64)
        try MetaImage.write(phantom.scan, to: "\(directory)/phantom.mha", compressed: true)
        let scan = try MetaImage.read("\(directory)/phantom.mha", as: Int16.self)
        try expect(
            scan.voxels == phantom.scan.voxels && scan.geometry.extent == phantom.scan.extent,
            "a MetaImage changed on its way through a file")
    }

    static func evaluateDetector() throws {
        let reference = ReferenceStandard(
            scans: ["a", "b"], nodules: [Finding(seriesUID: "a", x: 10, y: 20, z: 30, diameter: 8)], excluded: [])
        let candidates = [
            Candidate(seriesUID: "a", x: 11, y: 20, z: 30, probability: 0.9),
            Candidate(seriesUID: "b", x: 0, y: 0, z: 0, probability: 0.5),
        ]
        let result = EvaluationResult(candidates, reference, resamples: 10)
        try expect(
            result.froc.cpm == 1 && result.matching.counts.falsePositives == 1, "a FROC of CPM \(result.froc.cpm)")
    }

    static func logCurve(in directory: String) throws {
        let log = try EventFile(directory: directory, keepingUpTo: -1, wallTime: 1_000_000_000)
        try log.append([("loss/total", 0.7)], step: 1, wallTime: 1_000_000_001)
        let picture = Picture(width: 8, height: 8, color: Color(grey: 128))
        try log.append(picture, tag: "crop", step: 1, wallTime: 1_000_000_001)
        try log.flush()
        try expect((FileContent.size(log.path) ?? 0) > 100, "an event file without events")
    }

    static func runNetwork() throws {
        let architecture = Architecture.standard
        let engine = Engine(pool: ThreadPool(threads: 2))
        let network = Network(architecture, engine: engine)
        let input = Tensor(shape: [1, 1, 16, 16, 16], values: (0..<4096).map { Float($0 % 31) / 31 })
        let side = 16 / architecture.stride
        let output = network.forward(
            architecture.initialState(seed: 1), input: input, coord: Tensor(shape: [1, 3, side, side, side]),
            mode: .evaluation)
        try expect(
            output.shape == [1, side, side, side, architecture.anchors, architecture.components]
                && output.values.allSatisfy(\.isFinite), "a network's output of shape \(output.shape)")
    }
}
