import Basics
import FileIO

/// What a conversion was told to do; the same options and scans give the same bytes.
public struct ConversionOptions: Hashable, Sendable, Codable {
    /// `luna16` or `dsb2017`.
    public var preset: String
    /// Voxels along each axis of the crops that the patches serve, a multiple of 16.
    public var cropSize: Int
    /// Voxels that a crop scaled by 0.75 can be moved in either direction.
    public var jitter: Int
    /// Patches per scan that are not around a nodule.
    public var backgroundPatches: Int
    public var seed: UInt64
    /// CRC-32 of the list of annotations; nil where there was none.
    public var annotationsCRC32: UInt32?

    enum CodingKeys: String, CodingKey {
        case preset, jitter, seed, cropSize, backgroundPatches
        case annotationsCRC32 = "annotationsCrc32"
    }

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

    /// Voxels along each axis of a patch.
    public var patchSide: Int { PatchCutter.side(cropSize: cropSize, jitter: jitter) }

    /// The options in one line, as files keep them.
    var text: String {
        let annotations = annotationsCRC32.map { String($0, radix: 16) } ?? "none"
        return "preset \(preset), crop \(cropSize), jitter \(jitter), background \(backgroundPatches), seed \(seed), "
            + "annotations \(annotations)"
    }
}

/// The content of `dataset.json`: what made a data set, and what is in it.
public struct DatasetManifest: Hashable, Sendable, Codable {
    public static let format = "luna-dataset"
    public static let version = 1

    /// A file of the data set.
    public struct File: Hashable, Sendable, Codable {
        /// Relative to the data set's directory.
        public var path: String
        public var bytes: Int
        public var crc32: UInt32
        /// Patches of a shard; nil for a volume.
        public var patches: Int?
        /// The scan of a volume; nil for a shard.
        public var seriesuid: String?
        /// Nodules of a volume, or patches around one in a shard.
        public var nodules: Int
    }

    /// One LUNA16 subset.
    public struct Fold: Hashable, Sendable, Codable {
        public var fold: Int
        public var scans: Int
        public var nodules: Int
        public var patches: Int
        public var shards: [File]
        public var volumes: [File]
    }

    /// An annotation outside its clean volume.
    public struct OutsideLabel: Hashable, Sendable, Codable {
        public var seriesuid: String
        /// World coordinates and diameter, mm.
        public var x, y, z, diameter: Double
    }

    /// A scan that could not be read.
    public struct SkippedScan: Hashable, Sendable, Codable {
        public var seriesuid: String
        public var fold: Int
        public var reason: String
    }

    public var format = DatasetManifest.format
    public var version = DatasetManifest.version
    public var createdBy = "luna convert"
    public var axisOrder = "z, y, x"
    public var voxelMillimetres = 1.0
    public var options: ConversionOptions
    public var patchSide: Int
    public var folds: [Fold]
    public var missingSubsets: [Int]
    public var outsideLabels: [OutsideLabel]
    public var skippedScans: [SkippedScan]
    /// The series whose lungs luna has segmented, there being no mask; nil where all had one.
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

    /// The path of the file in a data set's directory.
    public static func path(in directory: String) -> String { "\(directory)/dataset.json" }

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
