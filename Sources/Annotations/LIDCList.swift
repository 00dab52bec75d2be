import CT
import FileIO

/// The readings of LIDC-IDRI in XML: one file, or a folder of them as the archive has it.
///
/// A nodule is what at least three readers outlined, which is what LUNA16 counts; findings without an outline (nodules
/// below 3 mm, and what is no nodule) and those of fewer readers are left out. Outlines are in columns and rows of the
/// scanner's images, so the scan's header is needed: MetaImage, NRRD and DICOM keep their order, NIfTI does not tell.
struct LIDCList: AnnotationReader {
    static let form = "LIDC-IDRI's XML"
    /// The outermost element of a CT scan's readings; those of radiographs have `IdriReadMessage`.
    static let root = "LidcReadMessage"
    static func reads(_ content: ListContent) -> Bool {
        switch content {
        case .xml(let name), .folder(.xml(let name)): name == root
        default: false
        }
    }

    let scans: [String]
    private let readings: [String: LIDCReading]

    init(contentsOf path: String) throws {
        var readings: [String: LIDCReading] = [:]
        let isFolder = FileContent.isDirectory(path)
        for file in isFolder ? try Self.files(path) : [path] {
            // The archive holds readings of radiographs, too.
            if isFolder, try XMLReader.rootName(file) != Self.root { continue }
            let reading = try LIDCReading(contentsOf: file)
            if let other = readings.updateValue(reading, forKey: reading.series) {
                throw InputError(
                    file, "is about the series \(reading.series), and so is \(other.path)",
                    remedy: "keep one of the two")
            }
        }
        self.readings = readings
        scans = readings.keys.sorted()
    }

    /// The files of a folder that can be readings, to the depth of the archive.
    static func files(_ folder: String) throws -> [String] {
        try ListContent.files(in: folder, ending: ".xml", depth: 5)
    }

    func nodules(of name: String, frame: () throws -> ScanFrame) throws -> [NoduleAnnotation] {
        guard let reading = readings[name] else { return [] }
        guard reading.readers.contains(where: { !$0.isEmpty }) else { return [] }
        let frame = try frame()
        let marks = try reading.readers.enumerated().flatMap { reader, nodules in
            try nodules.map { nodule in
                ReaderMark(
                    reader: reader, nodule: try OutlinedNodule(nodule, frame, source: reading.path).annotation)
            }
        }
        return ReaderMark.consensus(marks)
    }

    func checksum() throws -> UInt32 {
        try Self.checksum(of: scans.compactMap { name in readings[name].map { (name, $0.path) } })
    }
}
