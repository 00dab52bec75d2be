import FileIO

/// A finding that candidates are compared with.
public struct Finding: Hashable, Sendable {
    /// The scan's series identifier.
    public var seriesUID: String
    /// The place along x, world mm.
    public var x: Double
    /// The place along y, world mm.
    public var y: Double
    /// The place along z, world mm.
    public var z: Double
    /// The diameter, mm; a negative one in the lists stands for 10.
    public var diameter: Double

    /// Makes a finding; place in world mm, diameter in mm.
    public init(seriesUID: String, x: Double, y: Double, z: Double, diameter: Double) {
        self.seriesUID = seriesUID
        self.x = x
        self.y = y
        self.z = z
        self.diameter = diameter
    }

    /// The diameter that counts, mm: 10 where the list has a negative one.
    public var effectiveDiameter: Double { diameter < 0 ? 10 : diameter }

    /// Returns whether a candidate lies strictly within the finding's radius.
    public func isHit(by c: Candidate) -> Bool {
        let (dx, dy, dz) = (c.x - x, c.y - y, c.z - z)
        let radius = effectiveDiameter / 2
        return dx * dx + dy * dy + dz * dz < radius * radius
    }
}

/// The truth that a detector is measured against: the scans, their nodules, and findings that count neither way.
public struct ReferenceStandard: Sendable {
    /// The series identifiers of the scans.
    public var scans: [String]
    /// The nodules that are to be found.
    public var nodules: [Finding]
    /// The findings whose candidates count neither as hits nor as false positives.
    public var excluded: [Finding]

    /// Makes a reference standard from its parts.
    public init(scans: [String], nodules: [Finding], excluded: [Finding]) {
        self.scans = scans
        self.nodules = nodules
        self.excluded = excluded
    }

    /// Reads LUNA16's `annotations.csv` or `annotations_excluded.csv`.
    ///
    /// - Parameters:
    ///   - path: The list.
    ///   - countsNeitherWay: Whether it is the list of excluded findings, of which a diameter of 0 does no harm.
    /// - Throws: `InputError` naming line and column; `FileError` where reading fails.
    public static func findings(_ path: String, countsNeitherWay: Bool = false) throws -> [Finding] {
        let table = try CSVTable(contentsOf: path, requiring: CSVTable.findingColumns)
        return try (0..<table.count).map { row in
            Finding(
                seriesUID: table.text(row, "seriesuid"), x: try table.number(row, "coordX"),
                y: try table.number(row, "coordY"), z: try table.number(row, "coordZ"),
                diameter: try table.diameter(row, countsNeitherWay ? .any : .negativeIsUnknown))
        }
    }

    /// Reads a list of scans, such as LUNA16's `seriesuids.csv`: one identifier a line without a header, or the column
    /// of that name among others.
    ///
    /// A first line that is no UID, where all others are, is a header too.
    ///
    /// - Throws: `InputError` where an identifier stands twice or there is none, or a header of several columns names
    ///   none of them as the series; `FileError` where reading fails.
    public static func series(_ path: String) throws -> [String] {
        let table = try CSVTable(contentsOf: path, columns: ["seriesuid"])
        var scans = (0..<table.count).map { (line: table.line($0), name: table.text($0, "seriesuid")) }
        if scans.count > 1, !isUID(scans[0].name), scans.dropFirst().allSatisfy({ isUID($0.name) }) {
            guard table.isSingleColumn else {
                throw InputError(
                    path, at: "line \(scans[0].line)", "a header without a column seriesuid",
                    remedy: "name the column of the scans seriesuid")
            }
            scans.removeFirst()
        }
        var seen: Set<String> = []
        for scan in scans where !seen.insert(scan.name).inserted {
            throw InputError(path, at: "line \(scan.line)", "\(scan.name) stands twice")
        }
        guard !scans.isEmpty else { throw InputError(path, "names no scan") }
        return scans.map(\.name)
    }

    /// Whether a name is a DICOM UID: numbers, joined by points.
    private static func isUID(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { 48...57 ~= $0 } }
    }
}
