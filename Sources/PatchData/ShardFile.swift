import Basics
import CT
import FileIO
import HDF5
import Synchronization

/// The file format of a fold's patches:
///
///     /patches          uint8 [n, s, s, s]   one chunk per patch
///     /series           string [n]           the scan of each patch
///     /kind             uint8 [n]            1 around a nodule, 0 background
///     /corner           int32 [n, 3]         the patch's first voxel in the clean volume, z, y, x; may lie outside
///     /volume_extent    int32 [n, 3]         the clean volume's extent
///     /target           int32 [n]            the nodule the patch is for, as an index into its own; -1 for none
///     /nodules          float64 [m, 4]       z, y, x in clean-volume voxels, diameter in mm
///     /nodule_start     int64 [n + 1]        patch i has the nodules start[i] ..< start[i + 1]
///
/// with the attributes `format`, `version`, `fold`, `patch_side`, `voxel_mm`, `padding` and `plan`, which names what
/// the shard was made from.
enum ShardFile {
    static let format = "luna-shard"
    static let version: Int64 = 1
    /// The number of voxels, uncompressed, that a shard holds at most: just under 1 GB.
    static let voxelLimit = 1_000_000_000

    /// Writes a shard.
    ///
    /// - Parameters:
    ///   - plan: Identifies what the shard is made from.
    ///   - pool: Packs several patches at a time.
    ///   - voxels: Gives the voxels of a patch; called once for each, in order.
    /// - Throws: What `voxels` throws, or `FileError`.
    static func write(
        _ patches: [PatchEntry], fold: Int, side: Int, plan: String, to path: String, pool: ThreadPool,
        voxels: (Int) throws -> [UInt8]
    ) throws {
        let count = patches.count
        try HDF5File.write(to: path) { file in
            try file.setAttribute("format", to: format)
            try file.setAttribute("version", to: version)
            try file.setAttribute("fold", to: Int64(fold))
            try file.setAttribute("patch_side", to: Int64(side))
            try file.setAttribute("axis_order", to: "z, y, x")
            try file.setAttribute("voxel_mm", to: [1.0, 1.0, 1.0])
            try file.setAttribute("padding", to: Int64(CleanVolume.padding))
            try file.setAttribute("plan", to: plan)
            let dataset = try file.createDataset(
                "/patches", as: UInt8.self, shape: [count, side, side, side], chunk: [1, side, side, side],
                compression: .deflate(4))
            // Cut one after the other, packed together, written in order.
            let width = 2 * pool.threads
            for start in stride(from: 0, to: count, by: width) {
                let rows = start..<min(count, start + width)
                let cut = try rows.map(voxels)
                let packed = Mutex([PackedChunk?](repeating: nil, count: rows.count))
                pool.run(rows.count) { index, _ in
                    let chunk = dataset.packed(cut[index])
                    packed.withLock { $0[index] = chunk }
                }
                for (row, chunk) in zip(rows, packed.withLock { $0 }) {
                    if let chunk { try dataset.write(chunk, row: row) }
                }
            }
            try file.write("/series", strings: patches.map(\.seriesUID))
            try file.write("/kind", shape: [count], values: patches.map { $0.kind == .nodule ? 1 : 0 as UInt8 })
            try file.write("/corner", shape: [count, 3], values: patches.flatMap { $0.corner.array.map { Int32($0) } })
            try file.write(
                "/volume_extent", shape: [count, 3], values: patches.flatMap { $0.volumeExtent.array.map { Int32($0) } }
            )
            try file.write("/target", shape: [count], values: patches.map { Int32($0.target ?? -1) })
            let nodules = patches.flatMap(\.nodules)
            try file.write(
                "/nodules", shape: [nodules.count, 4], values: nodules.flatMap { $0.center.array + [$0.diameter] })
            let starts = patches.reduce(into: [Int64(0)]) { $0.append(($0.last ?? 0) + Int64($1.nodules.count)) }
            try file.write("/nodule_start", shape: [count + 1], values: starts)
        }
    }

    /// The plan of the shard at a path, or nil where there is no good shard.
    static func plan(_ path: String) -> String? {
        guard let file = try? HDF5File(reading: path), (try? file.requireFormat(format, version: version)) != nil else {
            return nil
        }
        return try? file.attribute("plan", as: String.self)
    }
}

/// An open shard, readable from several threads.
public final class ShardReader: PatchSource {
    /// The patches of the shard, in its order.
    public let patches: [PatchEntry]
    let side: Int
    private let file: HDF5File
    private let dataset: HDF5Dataset

    /// Opens a shard and reads what it says of its patches.
    ///
    /// - Throws: `InputError` where the file is missing, damaged, or not a shard of a known version.
    public init(_ path: String) throws {
        let file = try HDF5File(reading: path)
        try file.requireFormat(ShardFile.format, version: ShardFile.version)
        let fold = Int(try file.attribute("fold", as: Int64.self))
        let dataset = try file.dataset("/patches")
        let shape = dataset.shape
        guard shape.count == 4, shape[1] > 0, shape[1] == shape[2], shape[1] == shape[3],
            0..<LUNA16Layout.foldCount ~= fold, dataset.chunk == [1, shape[1], shape[1], shape[1]]
        else {
            throw InputError(path, at: "/patches", "shape \(shape), expected [n, s, s, s] with one chunk per patch")
        }
        let side = shape[1]
        let entries = try Self.entries(file, count: shape[0], side: side, fold: fold)
        self.side = side
        patches = entries
        self.dataset = dataset
        self.file = file
    }

    /// The number of voxels along each axis of a patch.
    public var patchSide: Int { side }

    private static func entries(
        _ file: borrowing HDF5File, count n: Int, side: Int, fold: Int
    ) throws -> [PatchEntry] {
        let path = file.path
        let series = try file.readStrings("/series")
        let kinds = try file.read("/kind", shape: [n], as: UInt8.self)
        let corners = try file.read("/corner", shape: [n, 3], as: Int32.self).map { Int($0) }
        let extents = try file.read("/volume_extent", shape: [n, 3], as: Int32.self).map { Int($0) }
        let targets = try file.read("/target", shape: [n], as: Int32.self).map { Int($0) }
        let values = try file.read("/nodules", shape: [nil, 4], as: Double.self)
        let starts = try file.read("/nodule_start", shape: [n + 1], as: Int64.self).map { Int($0) }
        guard series.count == n else { throw InputError(path, at: "/series", "\(series.count), expected \(n)") }
        return try (0..<n).map { index in
            let start = starts[index]
            let end = starts[index + 1]
            guard 0 <= start, start <= end, end <= values.count / 4, targets[index] >= -1, targets[index] < end - start,
                kinds[index] == 0 || targets[index] >= 0
            else {
                throw InputError(
                    path, at: "/nodule_start [\(index)]",
                    "nodules \(start) to \(end) of \(values.count / 4), "
                        + "target \(targets[index])", remedy: "convert the scans again")
            }
            let nodules = (start..<end).map {
                Nodule(
                    center: ZYX(values[4 * $0], values[4 * $0 + 1], values[4 * $0 + 2]), diameter: values[4 * $0 + 3])
            }
            let extent = ZYX(extents[3 * index], extents[3 * index + 1], extents[3 * index + 2])
            guard extent.array.allSatisfy({ $0 > 0 }),
                nodules.allSatisfy({
                    $0.diameter > 0 && $0.diameter < 1e6 && $0.center.array.allSatisfy { abs($0) < 1e6 }
                })
            else { throw InputError(path, at: "/nodules", "patch \(index): extent \(extent), nodules \(nodules)") }
            return PatchEntry(
                seriesUID: series[index], fold: fold, kind: kinds[index] == 0 ? .background : .nodule,
                corner: ZYX(corners[3 * index], corners[3 * index + 1], corners[3 * index + 2]), volumeExtent: extent,
                nodules: nodules, target: targets[index] < 0 ? nil : targets[index])
        }
    }

    /// The voxels [side, side, side] of a patch, after its checksum was verified. Only reading takes the library's
    /// lock, not decompression.
    ///
    /// - Throws: `InputError` naming file, dataset and patch.
    public func voxels(_ index: Int) throws -> [UInt8] { try dataset.rawChunk(row: index).decoded() }
}
