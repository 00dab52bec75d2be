import FileIO

/// A detector's claim that there is a nodule.
public struct Candidate: Hashable, Sendable, Codable {
    /// The scan's series identifier.
    public var seriesUID: String
    /// The place along x, world mm.
    public var x: Double
    /// The place along y, world mm.
    public var y: Double
    /// The place along z, world mm.
    public var z: Double
    /// The detector's confidence; higher is surer.
    public var probability: Double
    /// The nodule's diameter, mm, where the detector says so.
    public var diameter: Double?

    /// Makes a candidate; places in world mm, the diameter in mm.
    public init(seriesUID: String, x: Double, y: Double, z: Double, probability: Double, diameter: Double? = nil) {
        self.seriesUID = seriesUID
        self.x = x
        self.y = y
        self.z = z
        self.probability = probability
        self.diameter = diameter
    }
}

/// Tables of candidates as LUNA16's evaluation reads them: `seriesuid,coordX,coordY,coordZ,probability`; further
/// columns may follow.
public enum CandidateFile {
    static let columns = ["seriesuid", "coordX", "coordY", "coordZ", "probability"]
    /// The name of a further column, where the detector is luna's.
    static let diameterColumn = "diameter_mm"

    /// Reads candidates, with their diameters where the file has them.
    ///
    /// - Throws: `InputError` naming line and column; `FileError` where reading fails.
    public static func read(_ path: String) throws -> [Candidate] {
        var table = try CSVTable(contentsOf: path, requiring: columns)
        let hasDiameter = table.header.count { $0 == diameterColumn } == 1
        if hasDiameter { table = try CSVTable(contentsOf: path, requiring: columns + [diameterColumn]) }
        return try (0..<table.count).map { row in
            Candidate(
                seriesUID: table.text(row, "seriesuid"), x: try table.number(row, "coordX"),
                y: try table.number(row, "coordY"), z: try table.number(row, "coordZ"),
                probability: try table.number(row, "probability"),
                diameter: hasDiameter
                    ? Double(table.text(row, diameterColumn)).flatMap { $0 > 0 && $0 < 1e6 ? $0 : nil } : nil)
        }
    }

    /// Writes candidates with their diameters as a last column.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func write(_ candidates: [Candidate], to path: String) throws {
        var text = CSVTable.line(columns + [diameterColumn])
        for c in candidates {
            let numbers = [c.x, c.y, c.z].map { Decimal.text($0, places: 4) }
            let fields =
                [c.seriesUID] + numbers + ["\(c.probability)", c.diameter.map { Decimal.text($0, places: 3) } ?? ""]
            text += CSVTable.line(fields)
        }
        try AtomicFile.write(text, to: path)
    }

    /// Whether a file begins as `write` begins one.
    public static func isOwn(_ path: String) -> Bool {
        let header = Array(CSVTable.line(columns + [diameterColumn]).utf8)
        return (try? FileContent.prefix(path, count: header.count)) == header
    }
}
