import Basics
import FileIO

extension ScanFile {
    /// The number of different labels beyond which a volume is no mask: the finest of lungs have some dozen, for lobes,
    /// airways and vessels.
    private static let labelLimit = 32

    /// Reads a mask: few whole numbers from 0 to 255. Not-a-number counts as 0.
    ///
    /// - Throws: `InputError` where the values are no labels, or none of them is a lung's, saying what they are, or the
    ///   data are damaged or cut off; `FileError` where reading fails.
    func labels(along direction: ZYX<Int>) throws -> Volume<UInt8> {
        let voxels: [UInt8]
        if elementType == .unsignedChar, rescale == nil {
            voxels = try storage.voxels(as: UInt8.self)
        } else {
            let labels = try storage.voxels(as: MaskLabel.self)
            guard !labels.contains(.none) else {
                throw try noMask("\(try valueRange()), expected whole numbers from 0 to 255")
            }
            voxels = labels.map { UInt8(truncatingIfNeeded: $0.value) }
        }
        var counts = [Int](repeating: 0, count: 256)
        for voxel in voxels { counts[Int(voxel)] += 1 }
        let found = counts.indices.filter { counts[$0] > 0 }
        guard found.count <= Self.labelLimit else {
            throw try noMask(
                "\(found.count) different values, \(try valueRange()), expected \(Self.labelLimit) at most")
        }
        guard LungMask.labels.contains(where: { counts[Int($0)] > 0 }) else {
            throw InputError(
                path, "the lung mask is empty: no voxel has label 3 or 4, it holds \(Self.list(found))",
                remedy: "write the left lung as 3 and the right one as 4, or segment the lungs anew")
        }
        let volume = Volume(geometry: geometry, voxels: voxels, source: path)
        return runs(along: direction) ? volume : try volume.reoriented(to: direction)
    }

    private func noMask(_ finding: String) throws -> InputError {
        InputError(
            path, "no lung mask: \(finding)",
            remedy: "give the mask of the lungs, in which 3 and 4 are the lungs and 0 is the rest, and not the scan")
    }

    /// The least and the greatest value in words; read again, for a message only.
    private func valueRange() throws -> String {
        let values = try storage.voxels(as: Double.self)
        return "from \(values.min() ?? 0) to \(values.max() ?? 0)"
    }

    private static func list(_ labels: [Int]) -> String {
        labels.prefix(10).map(String.init).joined(separator: ", ") + (labels.count > 10 ? ", …" : "")
    }
}

/// A voxel of a mask while it is read: a label, or `none` for a value that is no label.
struct MaskLabel: VoxelScalar {
    /// The label, 0 to 255; 256 for what is none.
    var value: UInt16

    static let none = MaskLabel(value: 256)

    private init(value: UInt16) { self.value = value }

    init(clampingVoxel value: Double) {
        if value.isNaN {
            self.init(value: 0)
        } else {
            self = UInt8(exactly: value).map { MaskLabel(value: UInt16($0)) } ?? .none
        }
    }

    init(clampingVoxel value: some BinaryInteger) {
        self = UInt8(exactly: value).map { MaskLabel(value: UInt16($0)) } ?? .none
    }

    func clamped<Target: VoxelScalar>(to: Target.Type) -> Target { Target(clampingVoxel: value) }

    var byteSwappedVoxel: Self { self }
}
