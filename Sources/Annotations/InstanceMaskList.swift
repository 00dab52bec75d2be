import Basics
import CT
import FileIO
import Foundation

/// nnDetection's labels, as its Task016 has them for LUNA16: for every case a mask `<case>.nii.gz`, in which the voxels
/// of nodule n are n, and `<case>.json` with `{"instances": {"1": 0, …}}`, the class of every nodule.
///
/// A nodule's middle is that of its voxels, and its diameter that of a sphere of its volume V, (6 V / π)^(1/3).
/// nnDetection itself takes the middle of the voxels' bounds, which is up to half a voxel further off. A case is named
/// like its scan with `_` for every dot, which its names must not hold; a scan may also be the case's image,
/// `<case>_0000`.
struct InstanceMaskList: AnnotationReader {
    static let form = "nnDetection's masks of instances"
    /// The member by which a case's JSON is known.
    static let member = "instances"
    static func reads(_ content: ListContent) -> Bool {
        switch content {
        case .json(let members), .folder(.json(let members)): members.contains(member)
        default: false
        }
    }

    private struct Case: Sendable {
        var path: String
        /// The class of each instance by its number.
        var classes: [Int: Int]
        var folder: String { Path.directory(of: path) }
    }

    let scans: [String]
    private let cases: [String: Case]

    init(contentsOf path: String) throws {
        let isFolder = FileContent.isDirectory(path)
        var cases: [String: Case] = [:]
        for file in isFolder ? try Self.labelFiles(path) : [path] {
            guard let classes = try ListContent.decode(Labels.self, file).instances else { continue }
            let name = Path.cutEnding(of: Path.name(of: file)).stem
            cases[name] = Case(path: file, classes: try Self.numbered(classes, file))
        }
        for file in isFolder ? try FileContent.names(inDirectory: Self.labelFolder(path)) : [] {
            guard let name = ScanFile.name(of: file), !file.hasPrefix("."), cases[name] == nil else { continue }
            throw InputError(
                "\(Self.labelFolder(path))/\(file)", "a mask without \(name).json", remedy: "copy all of labelsTr")
        }
        self.cases = cases
        scans = cases.keys.sorted()
    }

    /// The folder of labels: that of a task's folder, or the one given.
    private static func labelFolder(_ path: String) -> String {
        ["raw_splitted/labelsTr", "labelsTr"].map { "\(Path.withoutTrailingSlashes(path))/\($0)" }
            .first(where: FileContent.isDirectory) ?? path
    }

    /// The files in a folder that can be cases' labels.
    static func labelFiles(_ path: String) throws -> [String] {
        try ListContent.files(in: labelFolder(path), ending: ".json")
    }

    private struct Labels: Decodable { var instances: [String: Int]? }

    private static func numbered(_ classes: [String: Int], _ path: String) throws -> [Int: Int] {
        var result: [Int: Int] = [:]
        for (key, label) in classes.sorted(by: { $0.key < $1.key }) {
            guard let number = Int(key), 1...65535 ~= number, "\(number)" == key else {
                throw InputError(path, at: "\(member).\(key)", "is no number of an instance, expected 1, 2, …")
            }
            guard label == 0 else {
                throw InputError(
                    path, at: "\(member).\(key)", "has the class \(label), expected 0, a nodule",
                    remedy: "take what is no nodule out of mask and list")
            }
            result[number] = label
        }
        return result
    }

    func names(of scan: String) -> [String] {
        let underscored = scan.replacing(".", with: "_")
        let image = "_0000"
        var names = [scan]
        if underscored != scan { names.append(underscored) }
        if underscored.hasSuffix(image) { names.append(String(underscored.dropLast(image.count))) }
        return names
    }

    private func maskPath(_ labels: Case, _ name: String) -> String? {
        ScanFile.Format.allCases.flatMap(\.endings).map { "\(labels.folder)/\(name)\($0)" }
            .first { FileContent.size($0) != nil }
    }

    func nodules(of name: String, frame: () throws -> ScanFrame) throws -> [NoduleAnnotation] {
        guard let labels = cases[name], !labels.classes.isEmpty else { return [] }
        guard let path = maskPath(labels, name) else {
            throw InputError(
                labels.path, "\(labels.classes.count) instances, but no mask \(name).nii.gz beside it",
                remedy: "copy all of labelsTr")
        }
        let mask = try ScanFile.read(path, as: UInt16.self)
        let sums = Self.sums(mask)
        if let strange = sums.keys.filter({ labels.classes[$0] == nil }).min() {
            throw InputError(
                path, "holds the instance \(strange), of which \(labels.path) does not tell the class",
                remedy: "use mask and JSON of the same case")
        }
        let voxelVolume = mask.geometry.spacing.product
        return try labels.classes.keys.sorted().map { number in
            guard let sum = sums[number] else {
                throw InputError(
                    path, "no voxel of the instance \(number), which \(labels.path) names",
                    remedy: "use mask and JSON of the same case, or take the instance out of the JSON")
            }
            let volume = Double(sum.count) * voxelVolume
            return NoduleAnnotation(
                center: mask.geometry.world(sum.places.map { Double($0) / Double(sum.count) }),
                diameter: cbrt(6 * volume / .pi))
        }
    }

    /// The number and the summed indices of every instance's voxels.
    private static func sums(_ mask: Volume<UInt16>) -> [Int: (count: Int, places: ZYX<Int>)] {
        var sums: [Int: (count: Int, places: ZYX<Int>)] = [:]
        let (rows, columns) = (mask.extent.y, mask.extent.x)
        for (index, value) in mask.voxels.enumerated() where value != 0 {
            let place = ZYX(index / (rows * columns), index / columns % rows, index % columns)
            let sum = sums[Int(value)] ?? (0, ZYX(0, 0, 0))
            sums[Int(value)] = (sum.count + 1, sum.places + place)
        }
        return sums
    }

    func checksum() throws -> UInt32 {
        try Self.checksum(
            of: scans.flatMap { name -> [(name: String, path: String)] in
                guard let labels = cases[name] else { return [] }
                return [("\(name).json", labels.path)] + (maskPath(labels, name).map { [(name, $0)] } ?? [])
            })
    }
}
