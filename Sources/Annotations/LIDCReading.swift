import FileIO

/// The readings of one scan, as the XML has them: what each reader outlined.
struct LIDCReading: Sendable {
    /// A closed outline in one slice.
    struct Outline: Sendable {
        /// The slice's place along z, mm.
        var z: Double
        /// Whether the outline's inside belongs to the nodule; it is a hole in it otherwise.
        var isIncluded: Bool
        /// Columns and rows, from 0.
        var points: [(x: Int, y: Int)]
        /// The line in the file.
        var line: Int
    }

    /// A nodule of 3 mm or more, as one reader outlined it.
    struct Nodule: Sendable {
        var outlines: [Outline]
        var line: Int
    }

    let path: String
    /// The scan's SeriesInstanceUID.
    let series: String
    /// The nodules of each reader.
    let readers: [[Nodule]]

    /// Reads a file.
    ///
    /// - Throws: `InputError` naming the line; `FileError` where reading fails.
    init(contentsOf path: String) throws {
        self.path = path
        let root = try XMLReader.root(of: path)
        let text = root.first("ResponseHeader")?.first("SeriesInstanceUid")?.text ?? ""
        guard !text.isEmpty else {
            throw InputError(
                path, at: "line \(root.line)", "no SeriesInstanceUid in the ResponseHeader: whose scan is it?",
                remedy: "download the file again")
        }
        series = text
        readers = try root.all("readingSession").map { session in
            try session.all("unblindedReadNodule").compactMap { try Self.nodule($0, path) }
        }
    }

    /// Reads a nodule; nil where it is one of less than 3 mm, which is a single point.
    private static func nodule(_ node: XMLNode, _ path: String) throws -> Nodule? {
        let outlines = try node.all("roi").map { try outline($0, path) }
        guard !outlines.isEmpty else {
            throw InputError(path, at: "line \(node.line)", "a nodule without roi", remedy: "download the file again")
        }
        if outlines.allSatisfy({ $0.points.count == 1 }) { return nil }
        return Nodule(outlines: outlines, line: node.line)
    }

    private static func outline(_ node: XMLNode, _ path: String) throws -> Outline {
        func fail(_ node: XMLNode, _ problem: String) -> InputError {
            InputError(path, at: "line \(node.line)", problem, remedy: "download the file again")
        }
        guard let place = node.first("imageZposition"), let z = Double(place.text), z.isFinite else {
            throw fail(node, "no number as imageZposition, expected mm")
        }
        let inclusion = node.first("inclusion")?.text.uppercased() ?? "TRUE"
        guard ["TRUE", "FALSE"].contains(inclusion) else {
            throw fail(node, "inclusion is \(inclusion), expected TRUE or FALSE")
        }
        let points = try node.all("edgeMap").map { edge in
            guard let x = edge.first("xCoord").flatMap({ Int($0.text) }),
                let y = edge.first("yCoord").flatMap({ Int($0.text) }), 0..<65536 ~= x, 0..<65536 ~= y
            else { throw fail(edge, "no whole numbers as xCoord and yCoord, expected a column and a row") }
            return (x: x, y: y)
        }
        guard !points.isEmpty else { throw fail(node, "an outline without edgeMap") }
        return Outline(z: z, isIncluded: inclusion == "TRUE", points: points, line: node.line)
    }
}
