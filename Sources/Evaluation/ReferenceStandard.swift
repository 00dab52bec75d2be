import FileIO

/// A finding that candidates are compared with.
public struct Finding: Hashable, Sendable {
    public var seriesUID: String
    /// World millimetres.
    public var x: Double
    public var y: Double
    public var z: Double
    /// In mm; a negative one in the lists stands for 10.
    public var diameter: Double

    public init(seriesUID: String, x: Double, y: Double, z: Double, diameter: Double) {
        self.seriesUID = seriesUID
        self.x = x
        self.y = y
        self.z = z
        self.diameter = diameter
    }

    /// In mm.
    public var effectiveDiameter: Double { diameter < 0 ? 10 : diameter }

    /// Whether a candidate lies strictly within the finding's radius.
    public func isHit(by c: Candidate) -> Bool {
        let (dx, dy, dz) = (c.x - x, c.y - y, c.z - z)
        let radius = effectiveDiameter / 2
        return dx * dx + dy * dy + dz * dz < radius * radius
    }
}

/// What a detector is measured against: the scans, their nodules, and findings that count neither way.
public struct ReferenceStandard: Sendable {
    public var scans: [String]
    public var nodules: [Finding]
    public var excluded: [Finding]

    public init(scans: [String], nodules: [Finding], excluded: [Finding]) {
        self.scans = scans
        self.nodules = nodules
        self.excluded = excluded
    }

    /// Reads LUNA16's `annotations.csv` or `annotations_excluded.csv`.
    ///
    /// - Throws: `InputError` naming line and column.
    public static func findings(_ path: String) throws -> [Finding] {
        let table = try CSVTable(
            contentsOf: path, requiring: ["seriesuid", "coordX", "coordY", "coordZ", "diameter_mm"])
        return try (0..<table.count).map { row in
            Finding(
                seriesUID: table.text(row, "seriesuid"), x: try table.number(row, "coordX"),
                y: try table.number(row, "coordY"), z: try table.number(row, "coordZ"),
                diameter: try table.number(row, "diameter_mm"))
        }
    }

    /// Reads LUNA16's `seriesuids.csv`: one identifier a line, no header.
    ///
    /// - Throws: `InputError` where an identifier stands twice or there is none.
    public static func series(_ path: String) throws -> [String] {
        let table = try CSVTable(contentsOf: path, columns: ["seriesuid"])
        var seen: Set<String> = []
        let scans = (0..<table.count).map { table.text($0, "seriesuid") }
        for (row, scan) in scans.enumerated() where !seen.insert(scan).inserted {
            throw InputError(path, at: "line \(table.line(row))", "\(scan) stands twice")
        }
        guard !scans.isEmpty else { throw InputError(path, "names no scan") }
        return scans
    }
}
