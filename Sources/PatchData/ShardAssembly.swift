import Basics
import CT
import FileIO

/// The cutting of all converted scans' patches into shards, fold by fold, in the order of the scans.
///
/// A shard that exists and was made from the same volumes is verified and kept.
struct ShardAssembly {
    let output: String
    let options: ConversionOptions
    let volumes: [ConvertedVolume]
    let finished: FinishedFiles
    let pool: ThreadPool

    private struct Shard {
        var fold: Int
        var path: String
        var plan: String
        var patches: [(volume: Int, entry: PatchEntry)]
    }

    private var cutter: PatchCutter {
        PatchCutter(
            cropSize: options.cropSize, side: options.patchSide, backgroundPatches: options.backgroundPatches,
            seed: options.seed)
    }

    /// Writes the shards that are missing.
    ///
    /// - Returns: The folds as `dataset.json` describes them.
    /// - Throws: `InputError` where a volume was damaged meanwhile; `FileError` where a shard cannot be written.
    func run(_ progress: (Converter.Progress) -> Void) throws -> [DatasetManifest.Fold] {
        let shards = plan()
        var files: [DatasetManifest.File] = []
        var loaded: (index: Int, volume: CleanVolume)?
        for (index, shard) in shards.enumerated() {
            let path = "\(output)/\(shard.path)"
            if let file = finished[shard.path], file.patches == shard.patches.count,
                ShardFile.plan(path) == shard.plan
            {
                files.append(file)
                progress(.init(stage: .shards, completed: index + 1, total: shards.count, detail: shard.path))
                continue
            }
            if !isGood(path, shard) {
                try OutputDirectory.invalidate(output, options: options)
                try ShardFile.write(
                    shard.patches.map(\.entry), fold: shard.fold, side: options.patchSide, plan: shard.plan, to: path,
                    pool: pool
                ) { patch in
                    let (volume, entry) = shard.patches[patch]
                    if loaded?.index != volume {
                        loaded = nil
                        loaded = (volume, try CleanVolumeFile.read("\(output)/\(volumes[volume].file.path)"))
                    }
                    return loaded.map { cutter.cut($0.volume, corner: entry.corner) } ?? []
                }
            }
            files.append(
                DatasetManifest.File(
                    path: shard.path, bytes: FileContent.size(path) ?? 0, crc32: try FileContent.crc32(path),
                    patches: shard.patches.count, nodules: shard.patches.count { $0.entry.kind == .nodule }))
            progress(.init(stage: .shards, completed: index + 1, total: shards.count, detail: shard.path))
        }
        return Set(volumes.map(\.fold)).sorted().map { fold in
            let members = volumes.filter { $0.fold == fold }
            let own = zip(shards, files).filter { $0.0.fold == fold }.map(\.1)
            return DatasetManifest.Fold(
                fold: fold, scans: members.count, nodules: members.reduce(0) { $0 + $1.nodules.count },
                patches: own.reduce(0) { $0 + ($1.patches ?? 0) }, shards: own, volumes: members.map(\.file))
        }
    }

    private func plan() -> [Shard] {
        let side = options.patchSide
        let perShard = max(1, ShardFile.voxelLimit / (side * side * side))
        return Set(volumes.map(\.fold)).sorted().flatMap { fold -> [Shard] in
            let patches = volumes.indices.filter { volumes[$0].fold == fold }.flatMap { index in
                let volume = volumes[index]
                return cutter.entries(
                    seriesUID: volume.seriesUID, fold: fold, extent: volume.extent, nodules: volume.nodules
                ).map { (volume: index, entry: $0) }
            }
            return stride(from: 0, to: patches.count, by: perShard).enumerated().map { number, start in
                let part = Array(patches[start..<min(patches.count, start + perShard)])
                // The volumes count by their content, so that a shard made from other volumes is not mistaken for this
                // one.
                let content = part.map { "\(volumes[$0.volume].file.crc32) \($0.entry)" }.joined(separator: "\n")
                return Shard(
                    fold: fold, path: "shards/fold\(fold)-\(number.zeroPadded(to: 5)).h5",
                    plan: "\(options.text), content \(String(PatchCutter.hash(content), radix: 16))", patches: part)
            }
        }
    }

    private func isGood(_ path: String, _ shard: Shard) -> Bool {
        guard FileContent.size(path) != nil, ShardFile.plan(path) == shard.plan, let reader = try? ShardReader(path),
            reader.patches == shard.patches.map(\.entry)
        else { return false }
        return reader.patches.indices.allSatisfy { (try? reader.voxels($0)) != nil }
    }
}
