import Basics
import FileIO
import Synchronization

/// A synthetic data set in LUNA16's layout: what `luna phantom` writes.
public struct PhantomDataSet: Sendable {
    /// The number of scans; scan i belongs to subset i mod 10.
    public let scans: Int
    /// The seed, which determines every byte.
    public let seed: UInt64
    /// The number of voxels across the picture.
    public let size: Int
    /// The look and the difficulty of its scans.
    public let style: PhantomStyle

    /// The numbers of scans that a data set can have.
    public static let scanRange = 1...10_000
    /// The sizes that a scan can have. Below, lungs are thinner than the larger nodules; above, a scan takes gigabytes.
    public static let sizeRange = 64...512

    /// Describes a data set.
    ///
    /// - Throws: `UsageError` where a number is out of its range.
    public init(scans: Int = 20, seed: UInt64 = 0, size: Int = 160, style: PhantomStyle = .simple) throws {
        guard Self.scanRange.contains(scans) else {
            throw UsageError("\(scans) scans, expected \(Self.scanRange.lowerBound) to \(Self.scanRange.upperBound)")
        }
        guard Self.sizeRange.contains(size) else {
            throw UsageError(
                "a size of \(size) voxels, expected \(Self.sizeRange.lowerBound) to \(Self.sizeRange.upperBound)")
        }
        (self.scans, self.seed, self.size, self.style) = (scans, seed, size, style)
    }

    /// Writes scans, masks and annotations; the annotations last, so that a data set that has them is whole. Beside
    /// `annotations.csv` there is `seriesuids.csv`, the list of all scans that LUNA16's evaluation reads; in the hard
    /// style also `annotations_excluded.csv`, balls below 3 mm, which count neither way, and `findings.csv`, which says
    /// what all nodules and lures are.
    ///
    /// - Parameters:
    ///   - directory: Made where it does not exist; must be empty.
    ///   - pool: Where scans are made, one per thread at a time. The bytes do not depend on it.
    ///   - progress: Called with the number of scans written so far; one call at a time, from any thread.
    /// - Returns: The number of nodules.
    /// - Throws: `UsageError` where the directory is not empty; `FileError` where writing fails.
    @discardableResult
    public func write(
        to directory: String, pool: ThreadPool, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws -> Int {
        if FileContent.isDirectory(directory), try !FileContent.names(inDirectory: directory).isEmpty {
            throw UsageError("\(directory) is not empty: name another directory, or remove it first")
        }
        for name in ["seg-lungs-LUNA16", "CSVFILES"] + (0..<min(scans, LUNA16Layout.foldCount)).map({ "subset\($0)" }) {
            try FileContent.makeDirectory("\(directory)/\(name)")
        }
        let state = Mutex(Progress(scans))
        pool.run(scans) { index, _ in
            guard state.withLock({ $0.failure == nil }) else { return }
            do {
                let phantom = PhantomScan(index: index, seed: seed, size: size, style: style)
                let name = phantom.seriesUID
                try MetaImage.write(
                    phantom.lungMask, to: "\(directory)/seg-lungs-LUNA16/\(name).mhd", compressed: true)
                try MetaImage.write(
                    phantom.scan, to: "\(directory)/subset\(index % LUNA16Layout.foldCount)/\(name).mhd")
                let rows = phantom.nodules.map { CSVTable.line([name] + $0.center.fields + ["\($0.diameter)"]) }
                // LUNA16 gives what it excludes no diameter.
                let excluded = phantom.findings.filter(\.isExcluded).map {
                    CSVTable.line([name] + $0.center.fields + ["-1"])
                }
                let findings = phantom.findings.map {
                    CSVTable.line(
                        [name] + $0.center.fields
                            + ["\($0.diameter)", $0.kind.rawValue, $0.margin.rawValue, $0.site.rawValue])
                }
                state.withLock {
                    $0.rows[index] = rows
                    $0.excluded[index] = excluded
                    $0.findings[index] = findings
                    $0.names[index] = name
                    $0.done += 1
                    progress($0.done)
                }
            } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
        }
        let result = state.withLock { $0 }
        if let failure = result.failure { throw failure }
        func write(_ name: String, _ header: [String], _ rows: [String]) throws {
            let first = header.isEmpty ? "" : CSVTable.line(header)
            try AtomicFile.write(first + rows.joined(), to: "\(directory)/CSVFILES/\(name).csv")
        }
        let header = ["seriesuid", "coordX", "coordY", "coordZ", "diameter_mm"]
        try write("seriesuids", [], result.names.map { CSVTable.line([$0]) })
        if style == .hard {
            try write("annotations_excluded", header, result.excluded.flatMap(\.self))
            try write("findings", header + ["kind", "margin", "site"], result.findings.flatMap(\.self))
        }
        let rows = result.rows.flatMap(\.self)
        try write("annotations", header, rows)
        return rows.count
    }

    private struct Progress: Sendable {
        var rows: [[String]]
        var excluded: [[String]]
        var findings: [[String]]
        var names: [String]
        var done = 0
        var failure: (any Error)?

        init(_ scans: Int) {
            rows = Array(repeating: [], count: scans)
            (excluded, findings) = (rows, rows)
            names = Array(repeating: "", count: scans)
        }
    }
}

extension WorldPoint {
    /// The three numbers as fields of a table.
    fileprivate var fields: [String] { ["\(x)", "\(y)", "\(z)"] }
}
