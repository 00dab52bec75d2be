import FileIO

/// The list of the Duke Lung Cancer Screening data set 2024, a table with the columns
/// `ct_nifti_file,coordX,coordY,coordZ,w,h,d` among others.
///
/// Middles are world mm, LPS (they are given to SimpleITK), although the scans are NIfTI; w, h and d are extents along
/// x, y and z, mm, of which the diameter is the mean. Benign or malignant, every row is a nodule.
struct DLCSList: RowReader {
    static let form = "DLCS24's CSV"
    private static let scan = "ct_nifti_file"
    static func reads(_ content: ListContent) -> Bool {
        guard case .table(let columns) = content else { return false }
        return columns.contains { $0.lowercased() == scan }
    }

    let rows: ListedRows

    init(contentsOf path: String) throws {
        let (center, sizes) = (["coordX", "coordY", "coordZ"], ["w", "h", "d"])
        let table = try CSVTable(contentsOf: path, requiring: [Self.scan] + center + sizes)
        var rows = ListedRows(file: path)
        for row in 0..<table.count {
            let place = "line \(table.line(row))"
            let scan = try rows.addScan(image: table.text(row, Self.scan), at: "\(place), \(Self.scan)")
            try rows.add(
                scan, center: center.map { try table.number(row, $0) }, sizes: sizes.map { try table.number(row, $0) },
                at: place)
        }
        self.rows = rows
    }
}
