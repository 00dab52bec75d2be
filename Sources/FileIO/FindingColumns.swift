// What LUNA16's lists of findings have in common, whoever reads them.

extension CSVTable {
    /// The columns of LUNA16's `annotations.csv` and `annotations_excluded.csv`: places and diameters in world mm.
    public static let findingColumns = ["seriesuid", "coordX", "coordY", "coordZ", "diameter_mm"]

    /// The diameters beyond which a number is no millimetres: nothing in a lung is as large as a metre.
    private static let diameterLimit = 1000.0

    /// The numbers that a finding's diameter may be, besides those above 0.
    public enum DiameterRule: Sendable {
        /// No others: what is trained on has a size.
        case positive
        /// Numbers below 0, which stand for an unknown size in LUNA16's evaluation.
        case negativeIsUnknown
        /// Numbers below 0, and 0, which hits nothing: for findings that count neither way.
        case any
    }

    /// Returns a finding's diameter, mm.
    ///
    /// - Parameters:
    ///   - row: The row, counted from 0.
    ///   - rule: What may stand there besides millimetres above 0.
    /// - Throws: `InputError` naming line and column where it is no number that the rule allows, or beyond a metre.
    public func diameter(_ row: Int, _ rule: DiameterRule) throws -> Double {
        let diameter = try number(row, "diameter_mm")
        let isAllowed =
            switch rule {
            case .positive: diameter > 0
            case .negativeIsUnknown: diameter != 0
            case .any: true
            }
        guard isAllowed, diameter < Self.diameterLimit else {
            throw error(
                row, "diameter_mm", "is \(text(row, "diameter_mm")), expected millimetres above 0 and below 1000")
        }
        return diameter
    }
}

/// The comparison of the series that a list names with those that it should be about.
///
/// A list of which nothing applies is a mistake (another data set's, lost leading zeros), and its figures would be
/// those of no list at all.
public struct SeriesOverlap: Sendable {
    /// The sentence about the part of the list that does not apply; nil where all of it does.
    public let note: String?

    /// The number of series that a message names.
    private static let named = 3

    /// Compares a list.
    ///
    /// - Parameters:
    ///   - list: The list's file, or files.
    ///   - series: The series that it names, as often as it does.
    ///   - others: Those that it should be about.
    ///   - what: What these are, as in `scans of series.csv`.
    ///   - remedy: The way out where nothing is in common.
    /// - Throws: `InputError` where neither is empty and nothing is in common.
    public init(
        of list: String, _ series: some Sequence<String>, with others: Set<String>, _ what: String,
        remedy: String = "check for lost leading zeros, or another data set's list"
    ) throws {
        let own = Set(series)
        let strange = own.subtracting(others).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        if strange.isEmpty {
            note = nil
            return
        }
        guard strange.count < own.count || others.isEmpty else {
            throw InputError(
                list,
                "names \(own.count) series, such as \(strange[0]), and none of them is among the "
                    + "\(others.count) \(what)\(others.min().map { ", such as \($0)" } ?? "")", remedy: remedy)
        }
        let more = strange.count > Self.named ? ", …" : ""
        note =
            "\(list): \(strange.count) of \(own.count) series are not among the \(others.count) \(what): "
            + strange.prefix(Self.named).joined(separator: ", ") + more
    }
}
