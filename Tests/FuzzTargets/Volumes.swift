import Basics
import CT
import FileIO

extension FuzzTarget {
    /// Header and voxels in one file.
    static let metaImage = FuzzTarget(
        name: "metaimage", file: "scan.mha",
        words: [
            "ObjectType = Image\n", "NDims = 3\n", "BinaryData = True\n", "BinaryDataByteOrderMSB = True\n",
            "CompressedData = True\n", "CompressedData = False\n", "CompressedDataSize = ", "HeaderSize = -1\n",
            "HeaderSize = ", "DimSize = 1 1 1\n", "DimSize = 2097152 2097152 1048576\n", "ElementType = MET_UCHAR\n",
            "ElementType = MET_DOUBLE\n", "ElementType = MET_LONG_LONG\n", "ElementNumberOfChannels = 1\n",
            "ElementSpacing = 1 1 1\n", "ElementDataFile = LOCAL\n", "ElementDataFile = scan.mha\n",
            "TransformMatrix = ", "Offset = ", "9223372036854775807", "-9223372036854775808", "1e308", "1e-320",
        ],
        seed: { directory in
            let path = "\(directory)/seed.mha"
            let geometry = VolumeGeometry(extent: ZYX(3, 4, 5), spacing: ZYX(2.5, 0.7, 0.7), origin: ZYX(-9, 0, 1))
            var seeds: [[UInt8]] = []
            func add<Voxel: VoxelScalar>(_ type: Voxel.Type, compressed: Bool, _ order: ByteOrder) throws {
                let voxels = (0..<60).map { Voxel(clampingVoxel: $0 * 37 - 1000) }
                try MetaImage.write(
                    Volume(geometry: geometry, voxels: voxels), to: path, compressed: compressed, byteOrder: order)
                seeds.append(try FileContent.bytes(path))
            }
            for compressed in [false, true] {
                try add(Int16.self, compressed: compressed, .little)
                try add(Float.self, compressed: compressed, .big)
                try add(UInt8.self, compressed: compressed, .little)
                try add(UInt64.self, compressed: compressed, .big)
                try add(Double.self, compressed: compressed, .little)
            }
            return seeds
        },
        read: { path in
            try attempt {
                let header = try MetaImageHeader(path: path)
                _ = header.geometry.axisSigns
                // As scans and as masks are read, and as it stands.
                try attempt { _ = try MetaImage.read(header, as: Int16.self) }
                try attempt { _ = try MetaImage.read(header, as: UInt8.self) }
                func readUnchanged<Voxel: VoxelScalar>(_ type: Voxel.Type) throws {
                    _ = try MetaImage.read(header, as: type)
                }
                try attempt { try readUnchanged(header.elementType.voxelType) }
            }
        })
}
