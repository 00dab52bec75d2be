import Basics
import FileIO

/// The options of a conversion; the same options and scans give the same bytes.
public struct ConversionOptions: Hashable, Sendable, Codable {
    /// The preset's name, `luna16` or `dsb2017`.
    public var preset: String
    /// The number of voxels along each axis of the crops that the patches serve, a multiple of 16.
    public var cropSize: Int
    /// The distance in voxels that a crop scaled by 0.75 can be moved in either direction.
    public var jitter: Int
    /// The number of patches per scan that are not around a nodule.
    public var backgroundPatches: Int
    /// The seed by which background patches are drawn.
    public var seed: UInt64
    /// The CRC-32 of the list of annotations; nil where there was none.
    public var annotationsCRC32: UInt32?

    enum CodingKeys: String, CodingKey {
        case preset, jitter, seed, cropSize, backgroundPatches
        case annotationsCRC32 = "annotationsCrc32"
    }

    /// Creates options.
    public init(
        preset: String, cropSize: Int, jitter: Int = 24, backgroundPatches: Int = 4, seed: UInt64 = 0,
        annotationsCRC32: UInt32? = nil
    ) {
        self.preset = preset
        self.cropSize = cropSize
        self.jitter = jitter
        self.backgroundPatches = backgroundPatches
        self.seed = seed
        self.annotationsCRC32 = annotationsCRC32
    }

    /// The number of voxels along each axis of a patch.
    public var patchSide: Int { PatchCutter.side(cropSize: cropSize, jitter: jitter) }

    /// The options in one line, as files keep them.
    var text: String { annotationsCRC32.map { "\(listedText)\(String($0, radix: 16))" } ?? "\(listedText)none" }

    /// The beginning of `text`, without what tells one list of annotations from another.
    private var listedText: String {
        "preset \(preset), crop \(cropSize), jitter \(jitter), background \(backgroundPatches), seed \(seed), "
            + "annotations "
    }

    /// Whether other options say the same but for the content of the list of annotations, whose
    /// rows are compared scan by scan.
    func agrees(with other: Self) -> Bool {
        var other = other
        if annotationsCRC32 != nil && other.annotationsCRC32 != nil { other.annotationsCRC32 = annotationsCRC32 }
        return self == other
    }

    /// Whether the text of other options, as a file keeps it, says the same in that sense.
    func agrees(withText other: String) -> Bool {
        let none = "\(listedText)none"
        return other == text || other.hasPrefix(listedText) && other != none && text != none
    }
}

/// The content of `dataset.json`: what made a data set, and what is in it.
public struct DatasetManifest: Hashable, Sendable, Codable {
    /// The member `format` by which such a file is known.
    public static let format = "luna-dataset"
    /// The member `version`, which this program writes and reads.
    public static let version = 1

    /// A file of the data set.
    public struct File: Hashable, Sendable, Codable {
        /// The path relative to the data set's directory.
        public var path: String
        /// The file's size in bytes.
        public var bytes: Int
        /// The CRC-32 of all its bytes.
        public var crc32: UInt32
        /// The number of patches of a shard; nil for a volume.
        public var patches: Int?
        /// The scan of a volume; nil for a shard.
        public var seriesuid: String?
        /// The number of nodules of a volume, or of patches around one in a shard.
        public var nodules: Int
    }

    /// The scans, patches and files of one LUNA16 subset.
    public struct Fold: Hashable, Sendable, Codable {
        /// The subset's number, 0 ..< 10.
        public var fold: Int
        /// The number of scans.
        public var scans: Int
        /// The number of nodules inside the scans' clean volumes.
        public var nodules: Int
        /// The number of patches.
        public var patches: Int
        /// The files of patches.
        public var shards: [File]
        /// The files of clean volumes.
        public var volumes: [File]
    }

    /// An annotation outside its clean volume.
    public struct OutsideLabel: Hashable, Sendable, Codable {
        /// The series that the annotation is of.
        public var seriesuid: String
        /// The world coordinate x in mm.
        public var x: Double
        /// The world coordinate y in mm.
        public var y: Double
        /// The world coordinate z in mm.
        public var z: Double
        /// The diameter in mm.
        public var diameter: Double
    }

    /// A scan that could not be read.
    public struct SkippedScan: Hashable, Sendable, Codable {
        /// The scan's series.
        public var seriesuid: String
        /// The scan's LUNA16 subset, 0 ..< 10.
        public var fold: Int
        /// The reason and the remedy, as messages tell them.
        public var reason: String
    }

    /// The format, `luna-dataset`.
    public var format = DatasetManifest.format
    /// The format's version.
    public var version = DatasetManifest.version
    /// The program that made the data set.
    public var createdBy = "luna convert"
    /// The order of axes in its files.
    public var axisOrder = "z, y, x"
    /// The edge length in mm of its voxels.
    public var voxelMillimetres = 1.0
    /// The options of the conversion.
    public var options: ConversionOptions
    /// The number of voxels along each axis of a patch.
    public var patchSide: Int
    /// The folds that have scans, ascending.
    public var folds: [Fold]
    /// The LUNA16 subsets that the input did not have.
    public var missingSubsets: [Int]
    /// The annotations that lie outside their clean volumes.
    public var outsideLabels: [OutsideLabel]
    /// The scans that could not be read and were left out.
    public var skippedScans: [SkippedScan]
    /// The series whose lungs luna has segmented because they had no mask; nil where all had one.
    public var segmentedScans: [String]?

    enum CodingKeys: String, CodingKey {
        case format, version, options, folds, createdBy, axisOrder, patchSide, missingSubsets, outsideLabels,
            skippedScans, segmentedScans
        case voxelMillimetres = "voxelMm"
    }

    /// The number of scans in all folds.
    public var scans: Int { folds.reduce(0) { $0 + $1.scans } }
    /// The number of nodules in all folds.
    public var nodules: Int { folds.reduce(0) { $0 + $1.nodules } }
    /// The number of patches in all folds.
    public var patches: Int { folds.reduce(0) { $0 + $1.patches } }

    /// The path of `dataset.json` in a data set's directory.
    public static func path(in directory: String) -> String { "\(directory)/dataset.json" }

    /// Reads a data set's `dataset.json`.
    ///
    /// - Parameter directory: The data set's directory.
    /// - Throws: `InputError` where there is none, or it is not one of a known version.
    public init(directory: String) throws {
        let path = Self.path(in: directory)
        guard FileContent.size(path) != nil else {
            throw InputError(
                path, "no such file",
                remedy: "give a directory that luna convert finished; run it (again) if it stopped")
        }
        let bytes = try FileContent.bytes(path, limit: 1 << 28)
        struct Head: Decodable {
            var format: String
            var version: Int
        }
        do {
            let head = try JSON.decode(Head.self, from: bytes)
            guard head.format == Self.format else {
                throw InputError(path, at: "format", "`\(head.format)`, expected `\(Self.format)`")
            }
            guard head.version == Self.version else {
                throw InputError(
                    path, at: "version", "\(head.version), expected \(Self.version)",
                    remedy: head.version > Self.version ? "use a newer luna" : "convert the scans again")
            }
            self = try JSON.decode(Self.self, from: bytes)
        } catch let error as DecodingError {
            throw InputError(path, at: Self.place(error), "not as expected", remedy: "convert the scans again")
        }
        // Sums of counts are printed, and must exist.
        for fold in folds
        where ![fold.fold, fold.scans, fold.nodules, fold.patches].allSatisfy({ 0...1_000_000_000 ~= $0 }) {
            throw InputError(
                path, at: "folds",
                "a fold \(fold.fold) of \(fold.scans) scans, \(fold.nodules) nodules, "
                    + "\(fold.patches) patches", remedy: "convert the scans again")
        }
        for file in folds.flatMap({ $0.shards + $0.volumes }) where file.path.hasPrefix("/") || file.path.contains("..")
        {
            throw InputError(path, at: file.path, "leads out of the data set")
        }
    }

    init(
        options: ConversionOptions, folds: [Fold], missingSubsets: [Int], outsideLabels: [OutsideLabel],
        skippedScans: [SkippedScan], segmentedScans: [String] = []
    ) {
        self.options = options
        patchSide = options.patchSide
        self.folds = folds
        self.missingSubsets = missingSubsets
        self.outsideLabels = outsideLabels
        self.skippedScans = skippedScans
        self.segmentedScans = segmentedScans.isEmpty ? nil : segmentedScans
    }

    /// - Throws: `FileError`.
    func write(toDirectory directory: String) throws {
        let text = try JSON.encode(self, isIndented: true, escapesSlashes: false)
        try AtomicFile.write(text + [10], to: Self.path(in: directory))
    }

    private static func place(_ error: DecodingError) -> String {
        let path: [any CodingKey] =
            switch error {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            @unknown default: []
            }
        return path.isEmpty ? "the JSON text" : path.map(JSON.name(of:)).joined(separator: ".")
    }
}
