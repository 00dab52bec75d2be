import Basics
import FileIO

/// The files of a data set laid out as LUNA16 is distributed:
///
///     subset0/ … subset9/<seriesuid>.mhd     the scans, with .raw or .zraw beside them
///     seg-lungs-LUNA16/<seriesuid>.mhd       lung masks: labels 3 and 4
///     CSVFILES/annotations.csv               or annotations.csv at the root
///
/// Fewer subsets will do, so will one subset's directory, a plain directory of scans (all in fold 0), or one scan.
/// Scans and masks can be of any of `ScanFile`'s formats. Each folder may be nested in one of the same name.
public struct LUNA16Layout: Sendable {
    /// A scan of the data set.
    public struct Scan: Hashable, Sendable {
        /// The subset's number, 0 … 9.
        public var fold: Int
        /// The file's name without its ending.
        public var seriesUID: String
        /// The file, or its header's: a `ScanFile`.
        public var path: String

        /// Makes a scan from its parts.
        public init(fold: Int, seriesUID: String, path: String) {
            self.fold = fold
            self.seriesUID = seriesUID
            self.path = path
        }
    }

    /// The number of subsets that a complete data set has.
    public static let foldCount = 10

    /// The scans by fold, then by name.
    public let scans: [Scan]
    /// The directory of the masks, or nil where no such directory was found.
    public let maskDirectory: String?
    /// The one mask that was given for the one scan.
    public let maskFile: String?
    /// The list of annotations, a file or a folder, or nil where there is none: then no nodule is known.
    public let annotationsPath: String?
    /// The subsets that a complete data set would have and this one has not; empty for one scan or a plain directory.
    public let missingSubsets: [Int]

    /// Finds the files of the data set at `directory`.
    ///
    /// - Parameters:
    ///   - directory: The root, a subset's directory, a directory of scans, or the path of one scan's header.
    ///   - annotations: The annotation list to use in place of the one found.
    ///   - masks: The directory of lung masks to use in place of the one found; for one scan, its mask itself will do.
    /// - Throws: `InputError` where nothing of the layout is there, a scan is there twice, or a path given is wrong.
    public init(directory: String, annotations: String? = nil, masks: String? = nil) throws {
        let root = Path.withoutTrailingSlashes(directory)
        var searchRoots = [root]
        if FileContent.size(root) != nil {
            guard Self.isHeader(root) else { throw ScanFile.refusal(of: directory) }
            scans = [Self.scan(root, fold: Self.subsetNumber(Self.parent(of: root)) ?? 0)]
            missingSubsets = []
            searchRoots = Self.above(root)
        } else if let fold = Self.subsetNumber(root), let found = try Self.headers(nestedIn: root) {
            scans = found.headers.map { Self.scan($0, fold: fold) }
            missingSubsets = (0..<Self.foldCount).filter { $0 != fold }
            searchRoots = [found.folder, root] + Self.above(root)
        } else {
            guard FileContent.isDirectory(root) else { throw InputError(directory, "no such file or directory") }
            let places = try Self.nested(root).filter { place in
                try !Self.headers(in: place).isEmpty || !Self.subsets(of: place).isEmpty
            }
            guard let place = places.first else { throw try Self.absence(in: root, given: directory) }
            searchRoots = place == root ? [root] : [place, root]
            let (found, loose) = (try Self.subsets(of: place), try Self.headers(in: place))
            if let other = places.dropFirst().first ?? (found.isEmpty ? nil : loose.first) {
                throw InputError(
                    directory, "holds scans in \((found.first ?? []).first?.path ?? loose[0]) and in \(other)",
                    remedy: "give the folder or file of those that are meant, or move the others out")
            }
            if found.isEmpty {
                scans = loose.map { Self.scan($0, fold: 0) }
                missingSubsets = []
            } else {
                scans = found.flatMap(\.self)
                let folds = Set(scans.map(\.fold))
                missingSubsets = (0..<Self.foldCount).filter { !folds.contains($0) }
            }
        }
        var places: [String: String] = [:]
        for scan in scans {
            if let first = places.updateValue(scan.path, forKey: scan.seriesUID) {
                throw InputError(
                    scan.path, "the same series as \(first)", remedy: "keep one of them: a scan belongs to one fold")
            }
        }
        maskFile = Self.maskFile(masks, scans: scans.count)
        maskDirectory = try maskFile == nil ? Self.maskDirectory(masks, searchRoots) : nil
        annotationsPath = try Self.annotationsPath(annotations, searchRoots)
    }

    /// Makes a layout of one scan that is no `ScanFile`, such as a folder of DICOM, in fold 0.
    ///
    /// - Parameters:
    ///   - seriesUID: The scan's name.
    ///   - path: The folder or file that holds it; masks and annotations are sought beside it, as for a scan's header.
    ///   - annotations: The annotation list to use in place of the one found.
    ///   - masks: The directory of lung masks, or the mask, to use in place of the one found.
    /// - Throws: `InputError` where a path given is wrong.
    public init(seriesUID: String, at path: String, annotations: String? = nil, masks: String? = nil) throws {
        let root = Path.withoutTrailingSlashes(path)
        scans = [Scan(fold: 0, seriesUID: seriesUID, path: root)]
        missingSubsets = []
        let searchRoots = Self.above(root)
        maskFile = Self.maskFile(masks, scans: 1)
        maskDirectory = try maskFile == nil ? Self.maskDirectory(masks, searchRoots) : nil
        annotationsPath = try Self.annotationsPath(annotations, searchRoots)
    }

    /// The mask that was given by itself, which only a single scan can have.
    private static func maskFile(_ given: String?, scans: Int) -> String? {
        given.flatMap { scans == 1 && FileContent.size($0) != nil ? $0 : nil }
    }

    private static func maskDirectory(_ given: String?, _ searchRoots: [String]) throws -> String? {
        guard let given else { return try maskDirectory(in: searchRoots) }
        guard FileContent.isDirectory(given) else { throw InputError(given, "no such directory of lung masks") }
        let folder = Path.withoutTrailingSlashes(given)
        return try headers(nestedIn: folder)?.folder ?? folder
    }

    private static func annotationsPath(_ given: String?, _ searchRoots: [String]) throws -> String? {
        guard let given else { return try annotationsPath(in: searchRoots) }
        guard FileContent.size(given) != nil || FileContent.isDirectory(given) else {
            throw InputError(given, "no such file")
        }
        return given
    }

    /// Returns the lung mask of a scan; nil where its lungs are to be segmented: there is no directory of masks at all.
    ///
    /// - Parameters:
    ///   - scan: A scan of this data set.
    ///   - segmentingLungs: Whether a scan without a mask is to be segmented also where others have one.
    /// - Throws: `InputError` where the directory of masks has none for this scan, which then is more likely
    ///   incomplete, or has two.
    public func maskPath(for scan: Scan, segmentingLungs: Bool = false) throws -> String? {
        if let maskFile { return maskFile }
        guard let maskDirectory else { return nil }
        let base = "\(maskDirectory)/\(scan.seriesUID)"
        let found = ScanFile.Format.allCases.flatMap(\.endings).map { base + $0 }
            .filter { FileContent.size($0) != nil }
        if found.count > 1 {
            throw InputError(
                found[0], "and \(found[1]) are both there: either could be the mask of \(scan.path)",
                remedy: "keep one of them")
        }
        if let mask = found.first { return mask }
        if segmentingLungs { return nil }
        throw InputError(
            scan.path, "no lung mask \(base).mhd",
            remedy:
                "unpack all of seg-lungs-LUNA16, let luna segment the lungs with --segment-lungs, or leave the scan out"
        )
    }

    private static func isHeader(_ name: String) -> Bool { ScanFile.name(of: name) != nil }

    /// The headers in a directory, by name.
    static func headers(in directory: String) throws -> [String] {
        try FileContent.names(inDirectory: directory).filter { isHeader($0) && !$0.hasPrefix(".") }
            .map { "\(directory)/\($0)" }
    }

    /// The scans of each `subset<N>` in a directory.
    private static func subsets(of root: String) throws -> [[Scan]] {
        try (0..<foldCount).compactMap { fold in
            try headers(nestedIn: "\(root)/subset\(fold)")?.headers.map { scan($0, fold: fold) }
        }
    }

    /// Whether there are scans of `ScanFile`'s formats at a path: such a file, or a folder with such or with subsets.
    ///
    /// - Throws: `InputError` where it holds scans in two places; `FileError` where a folder cannot be read.
    public static func holdsScans(_ path: String) throws -> Bool {
        let root = Path.withoutTrailingSlashes(path)
        guard FileContent.isDirectory(root) else { return FileContent.size(root) != nil && isHeader(root) }
        return try nested(root).contains { try !headers(in: $0).isEmpty || !subsets(of: $0).isEmpty }
    }

    /// Whether a folder holds scans themselves and no subsets.
    ///
    /// - Throws: `FileError` where it cannot be read.
    public static func isPlain(_ folder: String) throws -> Bool { try !headers(in: folder).isEmpty }

    private static func scan(_ path: String, fold: Int) -> Scan {
        Scan(fold: fold, seriesUID: ScanFile.name(of: path) ?? path, path: path)
    }

    private static func subsetNumber(_ path: String) -> Int? {
        let name = Path.name(of: path)
        guard name.hasPrefix("subset"), let number = Int(name.dropFirst(6)), 0..<foldCount ~= number else { return nil }
        return number
    }

    static func parent(of path: String) -> String { path == "." ? ".." : Path.directory(of: path) }
}
