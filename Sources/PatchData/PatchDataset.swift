import FileIO

/// A data set directory as `luna convert` writes it: the patches of its shards, and where its clean volumes are.
///
/// Shards stay open. Every patch's checksum is verified when it is read.
public struct PatchDataset: PatchSource {
    /// A clean volume of the data set, to be read with `CleanVolumeFile.read`.
    public struct VolumeEntry: Hashable, Sendable {
        /// The scan's series.
        public var seriesUID: String
        /// The scan's LUNA16 subset, 0 ..< 10.
        public var fold: Int
        /// The path of the volume's file.
        public var path: String
        /// The number of nodules in the volume.
        public var noduleCount: Int
    }

    /// The data set's directory.
    public let directory: String
    /// The content of its `dataset.json`.
    public let manifest: DatasetManifest
    /// All patches, ordered by fold, shard and place in the shard.
    public let patches: [PatchEntry]
    /// The number of voxels along each axis of a patch.
    public let patchSide: Int
    private let shards: [ShardReader]
    /// The index in `patches` where each shard's patches begin.
    private let starts: [Int]

    /// Opens all shards and reads what they say of their patches.
    ///
    /// - Parameter directory: The data set's directory.
    /// - Throws: `InputError` where `dataset.json` or a shard is missing, damaged, of another version or not of this
    ///   data set.
    public init(directory: String) throws {
        manifest = try DatasetManifest(directory: directory)
        self.directory = directory
        patchSide = manifest.patchSide
        var patches: [PatchEntry] = []
        var shards: [ShardReader] = []
        var starts: [Int] = []
        for fold in manifest.folds {
            for file in fold.shards {
                let path = "\(directory)/\(file.path)"
                guard let size = FileContent.size(path) else {
                    throw InputError(path, "no such file", remedy: "run luna convert again")
                }
                guard size == file.bytes else {
                    throw InputError(
                        path, "\(size) bytes, expected \(file.bytes)", remedy: "remove it and run luna convert again")
                }
                let shard = try ShardReader(path)
                guard shard.side == manifest.patchSide, shard.patches.count == file.patches,
                    shard.patches.allSatisfy({ $0.fold == fold.fold })
                else {
                    throw InputError(
                        path,
                        "\(shard.patches.count) patches of side \(shard.side), expected \(file.patches ?? 0) of "
                            + "side \(manifest.patchSide) in fold \(fold.fold)", remedy: "run luna convert again")
                }
                starts.append(patches.count)
                patches += shard.patches
                shards.append(shard)
            }
        }
        self.patches = patches
        self.shards = shards
        self.starts = starts
    }

    /// The number of voxels along each axis of the largest crops that the patches serve at every scale.
    public var cropSize: Int { manifest.options.cropSize }

    /// A digest of all that `dataset.json` says, including the files' checksums: equal where ranks see the same data.
    public var digest: Digest {
        var digest = Digest()
        digest.add(manifest.options.text)
        for file in manifest.folds.flatMap({ $0.shards + $0.volumes }) {
            digest.add(file.path)
            digest.add(Int(file.crc32))
        }
        return digest
    }

    /// The voxels of patch `index`, [side, side, side].
    ///
    /// - Throws: `InputError` naming shard, dataset and patch where its bytes are damaged.
    public func voxels(_ index: Int) throws -> [UInt8] {
        precondition(patches.indices ~= index, "patch \(index) of \(patches.count)")
        // The last shard that begins at or before the patch.
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= index { low = middle } else { high = middle }
        }
        return try shards[low].voxels(index - starts[low])
    }

    /// The clean volumes of one fold, or of all, by fold and series.
    public func volumes(fold: Int? = nil) -> [VolumeEntry] {
        manifest.folds.filter { fold == nil || $0.fold == fold }.flatMap { entry in
            entry.volumes.map {
                VolumeEntry(
                    seriesUID: $0.seriesuid ?? "", fold: entry.fold, path: "\(directory)/\($0.path)",
                    noduleCount: $0.nodules)
            }
        }
    }
}
