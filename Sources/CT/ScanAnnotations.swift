import FileIO

/// The nodules of a data set as its `annotations.csv` lists them.
public enum ScanAnnotations {
    /// Reads a list with the columns `seriesuid,coordX,coordY,coordZ,diameter_mm` (world millimetres).
    ///
    /// - Returns: The nodules by series, in the order of the file.
    /// - Throws: `InputError` naming line and column; `FileError` where reading fails.
    public static func read(_ path: String) throws -> [String: [NoduleAnnotation]] {
        let table = try CSVTable(contentsOf: path, requiring: CSVTable.findingColumns)
        var result: [String: [NoduleAnnotation]] = [:]
        for row in 0..<table.count {
            let diameter = try table.diameter(row, .positive)
            let center = try WorldPoint(
                x: table.number(row, "coordX"), y: table.number(row, "coordY"), z: table.number(row, "coordZ"))
            result[table.text(row, "seriesuid"), default: []].append(
                NoduleAnnotation(center: center, diameter: diameter))
        }
        return result
    }
}
