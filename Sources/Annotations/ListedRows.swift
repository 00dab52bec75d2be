import Basics
import CT
import FileIO

/// The nodules that a list names one by one, in world millimetres, checked.
struct ListedRows: Sendable {
    /// The nodules by scan, in the order of the list.
    private(set) var nodules: [String: [NoduleAnnotation]] = [:]
    /// The scans, each once, in the order of the list.
    private(set) var scans: [String] = []
    private var seen: [String: Set<NoduleAnnotation>] = [:]
    private let file: String

    init(file: String) { self.file = file }

    /// Adds a scan, which may have no nodule, by the path of its image.
    ///
    /// - Returns: Its name: the last component without a scan's ending.
    /// - Throws: `InputError` where the path names no file.
    mutating func addScan(image: String, at place: String) throws -> String {
        let file = Path.name(of: image)
        let name = ScanFile.name(of: file) ?? file
        guard !name.isEmpty else {
            throw InputError(self.file, at: place, "\"\(image)\" names no file", remedy: "name the scan's file")
        }
        if nodules.updateValue(nodules[name] ?? [], forKey: name) == nil { scans.append(name) }
        return name
    }

    /// Adds a nodule of a scan that was added; its diameter is the mean of its sizes.
    ///
    /// - Parameters:
    ///   - center: The middle along x, y and z, LPS, mm.
    ///   - sizes: The extent along x, y and z, mm.
    ///   - place: The place in the list, for messages.
    /// - Throws: `InputError` where a number is not finite, a size not possible, or the nodule listed already.
    mutating func add(_ scan: String, center: [Double], sizes: [Double], at place: String) throws {
        guard center.allSatisfy(\.isFinite) else {
            throw InputError(file, at: place, "the middle is \(Self.text(center)), expected three numbers in mm")
        }
        guard sizes.allSatisfy({ $0 > 0 && $0 < 1000 }) else {
            throw InputError(
                file, at: place, "the sizes are \(Self.text(sizes)), expected millimetres above 0 and below 1000",
                remedy: "correct them, or take the nodule out of the list")
        }
        // The mean of three equal numbers is that number to the last bit; their sum over 3 need not be.
        let isCube = sizes.allSatisfy { $0 == sizes[0] }
        let nodule = NoduleAnnotation(
            center: WorldPoint(x: center[0], y: center[1], z: center[2]),
            diameter: isCube ? sizes[0] : sizes.reduce(0, +) / 3)
        guard seen[scan, default: []].insert(nodule).inserted else {
            throw InputError(
                file, at: place, "the nodule at \(Self.text(center)) of \(scan) is listed twice",
                remedy: "take one of the two out")
        }
        nodules[scan, default: []].append(nodule)
    }

    /// The CRC-32 that the list has in LUNA16's form.
    var checksum: UInt32 {
        var text = CSVTable.line(CSVTable.findingColumns)
        for scan in scans {
            for nodule in nodules[scan] ?? [] {
                let numbers = [nodule.center.x, nodule.center.y, nodule.center.z, nodule.diameter]
                text += CSVTable.line([scan] + numbers.map { "\($0)" })
            }
        }
        return FileContent.crc32(of: Array(text.utf8))
    }

    private static func text(_ numbers: [Double]) -> String { numbers.map { "\($0)" }.joined(separator: " ") }
}
