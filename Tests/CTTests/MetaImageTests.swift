import Basics
import CT
import FileIO
import TestSupport
import Testing

@Suite struct MetaImageTests {
    private static let geometry = VolumeGeometry(
        extent: ZYX(3, 4, 5), spacing: ZYX(2.5, 0.703125, 0.1 + 0.2), origin: ZYX(-310.25, 17, -1e-3),
        orientation: VolumeGeometry.turned)

    /// Writes and reads every ending, compression and byte order.
    private func roundTrip<Voxel: VoxelScalar>(_ type: Voxel.Type, _ values: [Voxel]) throws {
        let count = Self.geometry.extent.product
        let volume = Volume(geometry: Self.geometry, voxels: (0..<count).map { values[$0 % values.count] })
        try withTemporaryDirectory { directory in
            for order in ByteOrder.allCases {
                for compressed in [false, true] {
                    for ending in ["mhd", "mha"] {
                        let path = "\(directory)/\(order)-\(compressed).\(ending)"
                        try MetaImage.write(volume, to: path, compressed: compressed, byteOrder: order)
                        let back = try MetaImage.read(path, as: Voxel.self)
                        #expect(back.voxels == volume.voxels, "\(Voxel.self) \(order) \(compressed) \(ending)")
                        #expect(back.geometry == volume.geometry)
                        #expect(back.source == path)
                    }
                }
            }
        }
    }

    @Test func everyElementTypeSurvivesEveryForm() throws {
        try roundTrip(Int8.self, [-128, 127, 0, 3])
        try roundTrip(UInt8.self, [0, 255, 3, 4])
        try roundTrip(Int16.self, [-32768, 32767, -1000, 258])
        try roundTrip(UInt16.self, [0, 65535, 258])
        try roundTrip(Int32.self, [.min, .max, 0x0102_0304])
        try roundTrip(UInt32.self, [0, .max, 0x0102_0304])
        try roundTrip(Int64.self, [.min, .max, 0x0102_0304_0506_0708])
        try roundTrip(UInt64.self, [0, .max, 0x0102_0304_0506_0708])
        try roundTrip(Float.self, [-1000.5, .greatestFiniteMagnitude, 1e-30])
        try roundTrip(Double.self, [-1000.5, .greatestFiniteMagnitude, 1e-300])
    }

    @Test func convertsToTheNearestValue() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.mha"
            let geometry = VolumeGeometry(extent: ZYX(1, 1, 6), spacing: ZYX(1, 1, 1))
            try MetaImage.write(
                Volume(geometry: geometry, voxels: [-1e9, -0.6, 2.4, 2.6, 1e9, .nan] as [Float]), to: path)
            #expect(try MetaImage.read(path, as: Int16.self).voxels == [-32768, -1, 2, 3, 32767, 0])
            #expect(try MetaImage.read(path, as: UInt8.self).voxels == [0, 0, 2, 3, 255, 0])
            try MetaImage.write(
                Volume(geometry: geometry, voxels: [-5, 3, 4, 259, 70000, 0] as [Int32]), to: path, byteOrder: .big)
            #expect(try MetaImage.read(path, as: UInt8.self).voxels == [0, 3, 4, 255, 255, 0])
        }
    }

    /// Bytes laid out by hand: x fastest, big-endian, `MET_LONG` of four bytes, aliases, unknown lines, CRLF.
    @Test func readsAHandWrittenFile() throws {
        try withTemporaryDirectory { directory in
            let header = [
                "ObjectType = Image", "NDims = 3", "BinaryData = True", "ElementByteOrderMSB = True", "dim[0] = 3",
                "Position = 1 2 3", "Rotation = 1 0 0 0 1 0 0 0 1", "ElementSize = 0.5 0.6 0.7", "DimSize = 2 1 2",
                "HeaderSize = 3", "Comment = a = b", "", "ElementType = MET_LONG", "ElementDataFile = v.raw",
            ]
            try AtomicFile.write(header.joined(separator: "\r\n") + "\r\n", to: "\(directory)/v.mhd")
            let bytes: [UInt8] = [9, 9, 9] + [0, 0, 0, 1] + [0, 0, 1, 0] + [255, 255, 255, 255] + [0, 1, 0, 0]
            try AtomicFile.write(bytes, to: "\(directory)/v.raw")
            let volume = try MetaImage.read("\(directory)/v.mhd", as: Int32.self)
            #expect(volume.voxels == [1, 256, -1, 65536])
            #expect(volume.extent == ZYX(2, 1, 2))
            #expect(volume.geometry.spacing == ZYX(0.7, 0.6, 0.5))
            #expect(volume.geometry.origin == ZYX(3, 2, 1))
        }
    }

    @Test func negativeHeaderSizeMeansTheEndOfTheFile() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(
                Hostile.header.replacing("ElementType", with: "HeaderSize = -1\nElementType"), to: "\(directory)/v.mhd")
            try AtomicFile.write([7, 7, 7] + Hostile.data, to: "\(directory)/v.raw")
            #expect(try MetaImage.read("\(directory)/v.mhd", as: Int16.self).voxels == Hostile.voxels)
        }
    }

    @Test func knowsItsAxes() {
        var geometry = Self.geometry
        #expect(geometry.axisSigns == ZYX(1, -1, -1))
        geometry.orientation = [0.9999, 0.01, 0, -0.01, 0.9999, 0, 0, 0, -1]
        #expect(geometry.axisSigns == ZYX(-1, 1, 1))
        geometry.orientation = [0, 1, 0, 1, 0, 0, 0, 0, 1]
        #expect(geometry.axisSigns == nil)
        geometry.orientation = [0.7, 0.7, 0, -0.7, 0.7, 0, 0, 0, 1]
        #expect(geometry.axisSigns == nil)
        geometry.orientation = [1, 0, 0, 0, 0, 0, 0, 0, 1]
        #expect(geometry.axisSigns == nil)
    }
}

/// A good pair of files to spoil.
enum Hostile {
    static let header = """
        ObjectType = Image
        NDims = 3
        BinaryData = True
        BinaryDataByteOrderMSB = False
        CompressedData = False
        TransformMatrix = 1 0 0 0 1 0 0 0 1
        Offset = 0 0 0
        ElementSpacing = 1 1 1
        DimSize = 2 2 2
        ElementType = MET_SHORT
        ElementDataFile = v.raw

        """
    static let voxels: [Int16] = Array(0..<8)
    static let data: [UInt8] = (0..<8).flatMap { [UInt8($0), 0] }
}
