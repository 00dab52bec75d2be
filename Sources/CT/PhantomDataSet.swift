import Basics
import FileIO
import Synchronization

/// A synthetic data set in LUNA16's layout: what `luna phantom` writes.
public struct PhantomDataSet: Sendable {
    /// The number of scans; scan i belongs to subset i mod 10.
    public let scans: Int
    /// The seed, which determines every byte.
    public let seed: UInt64
    /// The number of voxels across the body.
    public let size: Int

    /// The numbers of scans that a data set can have.
    public static let scanRange = 1...10_000
    /// The sizes that a scan can have. Below, lungs are thinner than the larger nodules; above, a scan takes gigabytes.
    public static let sizeRange = 64...512

    /// Describes a data set.
    ///
    /// - Throws: `UsageError` where a number is out of its range.
    public init(scans: Int = 20, seed: UInt64 = 0, size: Int = 160) throws {
        guard Self.scanRange.contains(scans) else {
            throw UsageError("\(scans) scans, expected \(Self.scanRange.lowerBound) to \(Self.scanRange.upperBound)")
        }
        guard Self.sizeRange.contains(size) else {
            throw UsageError(
                "a size of \(size) voxels, expected \(Self.sizeRange.lowerBound) to \(Self.sizeRange.upperBound)")
        }
        (self.scans, self.seed, self.size) = (scans, seed, size)
    }

    /// Writes scans, masks and annotations; the annotations last, so that a data set that has them is whole. Beside
    /// `annotations.csv` there is `seriesuids.csv`, the list of all scans that LUNA16's evaluation reads.
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
        let state = Mutex(Progress(rows: Array(repeating: [], count: scans), names: Array(repeating: "", count: scans)))
        pool.run(scans) { index, _ in
            guard state.withLock({ $0.failure == nil }) else { return }
            do {
                let phantom = PhantomScan(index: index, seed: seed, size: size)
                let name = phantom.seriesUID
                try MetaImage.write(
                    phantom.lungMask, to: "\(directory)/seg-lungs-LUNA16/\(name).mhd", compressed: true)
                try MetaImage.write(
                    phantom.scan, to: "\(directory)/subset\(index % LUNA16Layout.foldCount)/\(name).mhd")
                let rows = phantom.nodules.map { nodule in
                    let center = nodule.center
                    return "\(name),\(center.x),\(center.y),\(center.z),\(nodule.diameter)"
                }
                state.withLock {
                    $0.rows[index] = rows
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
        let rows = result.rows.flatMap(\.self)
        try AtomicFile.write(
            result.names.map { "\($0)\n" }.joined(), to: "\(directory)/CSVFILES/seriesuids.csv")
        try AtomicFile.write(
            (["seriesuid,coordX,coordY,coordZ,diameter_mm"] + rows).map { "\($0)\n" }.joined(),
            to: "\(directory)/CSVFILES/annotations.csv")
        return rows.count
    }

    private struct Progress: Sendable {
        var rows: [[String]]
        var names: [String]
        var done = 0
        var failure: (any Error)?
    }
}
