import Basics
import CT
import FileIO

/// A NIfTI-1 file made from numbers.
enum MadeNIfTI {
    /// Writes one.
    ///
    /// - Parameters:
    ///   - extent: The voxels along x, y and z.
    ///   - affine: The way from indices of x, y and z, and 1, to RAS mm, [3][4]; it has no rotation.
    ///   - type: NIfTI's code of the voxels' type: 2 for UInt8, 4 for Int16.
    static func write<Voxel: FixedWidthInteger>(
        _ voxels: [Voxel], extent: [Int], affine: [[Double]], type: Int16, to path: String
    ) throws {
        var bytes = [UInt8](repeating: 0, count: 352)
        func put<Value: BitwiseCopyable>(_ values: [Value], at offset: Int) {
            values.withUnsafeBytes { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }
        put([Int32(348)], at: 0)
        put(([3] + extent + [1, 1, 1, 1]).map { Int16($0) }, at: 40)
        put([type, Int16(Voxel.bitWidth)], at: 70)
        put([1] + (0..<3).map { Float(abs(affine[$0][$0])) } + [1, 1, 1, 1], at: 76)
        put([Float(352), 1, 0], at: 108)
        bytes[123] = 2
        put([Int16(0), 1], at: 252)
        put(affine.joined().map { Float($0) }, at: 280)
        put(Array("n+1\0".utf8), at: 344)
        try AtomicFile.write(bytes + voxels.withUnsafeBytes { Array($0) }, to: path)
    }

    /// Writes a volume, whose axes are the world's, with some of them reversed in the file.
    ///
    /// - Parameter signs: Of x, y and z: 1 where the file's index grows to the right, the front or the head (RAS).
    static func write(_ volume: Volume<Int16>, signs: [Int], to path: String) throws {
        let geometry = volume.geometry
        let extent = geometry.extent.array.reversed() as [Int]
        let spacing = geometry.spacing.array.reversed() as [Double]
        let origin = geometry.origin.array.reversed() as [Double]
        // LPS grows against RAS along x and y.
        let isReversed = zip(signs, [-1, -1, 1]).map { $0 != $1 }
        var affine = [[Double]](repeating: [0, 0, 0, 0], count: 3)
        for axis in 0..<3 {
            let first = origin[axis] + (isReversed[axis] ? Double(extent[axis] - 1) * spacing[axis] : 0)
            affine[axis][axis] = Double(signs[axis]) * spacing[axis]
            affine[axis][3] = axis < 2 ? -first : first
        }
        var voxels: [Int16] = []
        for z in 0..<extent[2] {
            for y in 0..<extent[1] {
                for x in 0..<extent[0] {
                    let place = zip([x, y, z], 0..<3).map { isReversed[$1] ? extent[$1] - 1 - $0 : $0 }
                    voxels.append(volume.voxels[(place[2] * extent[1] + place[1]) * extent[0] + place[0]])
                }
            }
        }
        try write(voxels, extent: extent, affine: affine, type: 4, to: path)
    }
}
