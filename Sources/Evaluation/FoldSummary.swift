import FileIO

/// Lists that tell which fold each scan belongs to.
public enum FoldList {
    /// Reads a list with the columns `seriesuid,fold`.
    ///
    /// - Returns: Folds by series.
    /// - Throws: `InputError` naming line and column, also where a series stands in two folds; `FileError` where
    ///   reading fails.
    public static func read(_ path: String) throws -> [String: Int] {
        let table = try CSVTable(contentsOf: path, requiring: ["seriesuid", "fold"])
        var folds: [String: Int] = [:]
        for row in 0..<table.count {
            let text = table.text(row, "fold")
            guard let fold = Int(text), 0...1_000_000 ~= fold else {
                throw table.error(row, "fold", "\"\(text)\", expected a whole number")
            }
            let series = table.text(row, "seriesuid")
            if let other = folds.updateValue(fold, forKey: series), other != fold {
                throw table.error(row, "fold", "\(series) is in fold \(fold), and in fold \(other) further up")
            }
        }
        return folds
    }
}

/// A cross-validation: each fold evaluated on its own, and how much the folds differ.
public struct FoldSummary: Hashable, Sendable {
    /// A fold, evaluated as if there were no other.
    public struct Fold: Hashable, Sendable {
        /// The fold's number.
        public var fold: Int
        /// The number of its scans.
        public var scans: Int
        /// The number of nodules in its scans.
        public var nodules: Int
        /// The number of nodules that a candidate hits.
        public var detected: Int
        /// The number of candidates that hit nothing.
        public var falsePositives: Int
        /// The sensitivity at each of the seven rates; nil in a fold without nodules.
        public var sensitivities: [Double]?

        /// The mean of the seven sensitivities; nil in a fold without nodules.
        public var cpm: Double? { sensitivities.map { $0.reduce(0, +) / Double($0.count) } }
    }

    /// The mean and the sample standard deviation of a quantity over folds.
    public struct Spread: Hashable, Sendable, Encodable {
        /// The mean over the folds.
        public var mean: Double
        /// The sample standard deviation; nil for fewer than two folds.
        public var standardDeviation: Double?

        init?(_ values: [Double]) {
            guard !values.isEmpty else { return nil }
            let mean = values.reduce(0, +) / Double(values.count)
            self.mean = mean
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            standardDeviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
        }
    }

    /// The folds, by number.
    public let folds: [Fold]
    /// The number of scans of no fold: they count in the pooled result only.
    public let unassigned: Int

    /// Evaluates each fold.
    ///
    /// - Parameters:
    ///   - matching: Candidates and nodules of all scans.
    ///   - foldOfScan: The fold of each of the reference's scans, in its order; nil for none.
    init(_ matching: Matching, foldOfScan: [Int?]) {
        var byFold: [Int: Fold] = [:]
        var marks: [Int: [Mark]] = [:]
        for (scan, fold) in foldOfScan.enumerated() {
            guard let fold else { continue }
            byFold[fold, default: Fold(fold: fold, scans: 0, nodules: 0, detected: 0, falsePositives: 0)].scans += 1
            byFold[fold]?.nodules += matching.nodulesByScan[scan]
        }
        for mark in matching.marks {
            guard let fold = foldOfScan[mark.scan] else { continue }
            marks[fold, default: []].append(mark)
            if mark.isNodule { byFold[fold]?.detected += 1 } else { byFold[fold]?.falsePositives += 1 }
        }
        folds = byFold.values.sorted { $0.fold < $1.fold }.map { fold in
            var fold = fold
            if fold.nodules > 0 {
                let curve = FROC(marks[fold.fold] ?? [], scans: fold.scans, nodules: fold.nodules)
                fold.sensitivities = curve.sensitivities
            }
            return fold
        }
        unassigned = foldOfScan.count { $0 == nil }
    }

    /// The CPM over the folds that have nodules; nil where none has.
    public var cpm: Spread? { Spread(folds.compactMap(\.cpm)) }

    /// The sensitivity at each of the seven rates over the folds that have nodules.
    public var sensitivities: [Spread] {
        FROC.rates.indices.compactMap { rate in Spread(folds.compactMap { $0.sensitivities?[rate] }) }
    }
}
