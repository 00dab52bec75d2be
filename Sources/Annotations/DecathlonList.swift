import FileIO

/// MONAI's JSON for detection, in the manner of the Medical Segmentation Decathlon: `dataset_fold<N>.json` with the
/// lists `training`, `validation` and `test` of `{"image": path, "box": [[x, y, z, w, h, d], …], "label": [0, …]}`.
///
/// Boxes are middles and sizes in world mm, LPS as in LUNA16's list (MONAI reads them with `affine_lps_to_ras`). All
/// three lists are read: how scans are divided is the affair of the data set that is made. An entry of `test` may be a
/// path alone, and may lack boxes.
struct DecathlonList: RowReader {
    static let form = "MONAI's JSON"
    static func reads(_ content: ListContent) -> Bool {
        guard case .json(let members) = content else { return false }
        return !members.isDisjoint(with: ["training", "validation", "test"])
    }

    let rows: ListedRows

    init(contentsOf path: String) throws {
        let lists = try ListContent.decode(Lists.self, path)
        var rows = ListedRows(file: path)
        var places: [String: String] = [:]
        for (list, entries) in [
            ("training", lists.training), ("validation", lists.validation), ("test", lists.test),
        ] {
            for (index, entry) in (entries ?? []).enumerated() {
                let place = "\(list)[\(index)]"
                let scan = try rows.addScan(image: entry.image, at: "\(place).image")
                if let other = places.updateValue(place, forKey: scan) {
                    throw InputError(
                        path, at: place, "the scan \(scan) stands in \(other), too", remedy: "take one of the two out")
                }
                guard entry.box != nil || list == "test" else {
                    throw InputError(
                        path, at: place, "no member box", remedy: "give a list made for detection, not segmentation")
                }
                try Self.add(entry, of: scan, to: &rows, path, at: place)
            }
        }
        self.rows = rows
    }

    private static func add(
        _ entry: Entry, of scan: String, to rows: inout ListedRows, _ path: String, at place: String
    ) throws {
        // A scan without nodules has [], or [[]] of an empty array.
        let boxes = entry.box.map { $0 == [[]] ? [] : $0 } ?? []
        guard boxes.count == entry.label.count else {
            throw InputError(
                path, at: "\(place).label", "\(entry.label.count) labels for \(boxes.count) boxes",
                remedy: "give every box its label")
        }
        for (index, box) in boxes.enumerated() {
            guard box.count == 6 else {
                throw InputError(
                    path, at: "\(place).box[\(index)]", "\(box.count) numbers, expected 6: x, y, z, w, h, d in mm")
            }
            guard entry.label[index] == 0 else {
                throw InputError(
                    path, at: "\(place).label[\(index)]", "is \(entry.label[index]), expected 0, a nodule",
                    remedy: "take what is no nodule out of the list")
            }
            try rows.add(
                scan, center: Array(box[..<3]), sizes: Array(box[3...]), at: "\(place).box[\(index)]")
        }
    }

    private struct Lists: Decodable { var training, validation, test: [Entry]? }

    private struct Entry: Decodable {
        var image: String
        var box: [[Double]]?
        var label: [Int] = []

        private enum Key: CodingKey { case image, box, label }

        init(from decoder: any Decoder) throws {
            if let path = try? decoder.singleValueContainer().decode(String.self) {
                image = path
                return
            }
            let members = try decoder.container(keyedBy: Key.self)
            image = try members.decode(String.self, forKey: .image)
            // In lists for segmentation, a label is a path.
            guard members.contains(.box) else { return }
            box = try members.decode([[Double]].self, forKey: .box)
            label = try members.decode([Int].self, forKey: .label)
        }
    }
}
