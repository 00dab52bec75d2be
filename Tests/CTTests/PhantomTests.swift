import Basics
import CT
import FileIO
import TestSupport
import Testing

@Suite struct PhantomTests {
    private static let phantoms = (0..<6).map { PhantomScan(index: $0, seed: 5, size: 80) }

    /// The stored voxel at a world point by the recipe's formula: |world − origin| / spacing.
    private func voxel(_ point: WorldPoint, in geometry: VolumeGeometry) -> ZYX<Double> {
        (ZYX(point.z, point.y, point.x) - geometry.origin).map(abs).zip(geometry.spacing, /)
    }

    /// Voxels of a scan whose centres lie within so many millimetres of a point.
    private func values(_ volume: Volume<Int16>, near point: WorldPoint, within radius: Double) -> [Double] {
        let geometry = volume.geometry
        let center = voxel(point, in: geometry)
        func range(_ axis: Int) -> Range<Int> {
            let reach = radius / geometry.spacing[axis]
            let low = max(0, Int((center[axis] - reach).rounded(.up)))
            return low..<max(low, min(geometry.extent[axis], Int(center[axis] + reach) + 1))
        }
        var result: [Double] = []
        for z in range(0) {
            for y in range(1) {
                for x in range(2) {
                    let offset = (ZYX(z, y, x).map(Double.init) - center) * geometry.spacing
                    guard (offset * offset).array.reduce(0, +) <= radius * radius else { continue }
                    result.append(Double(volume.voxels[(z * geometry.extent.y + y) * geometry.extent.x + x]))
                }
            }
        }
        return result
    }

    @Test func nodulesAreWhereTheAnnotationsSay() throws {
        let nodules = Self.phantoms.flatMap { phantom in phantom.nodules.map { (phantom, $0) } }
        #expect(nodules.count >= 5)
        for (phantom, nodule) in nodules {
            #expect((4...30).contains(nodule.diameter))
            let inside = values(phantom.scan, near: nodule.center, within: nodule.diameter * 0.3)
            try #require(!inside.isEmpty)
            // Soft tissue with noise; the smallest nodules lose some of it to partial volume.
            let mean = inside.reduce(0, +) / Double(inside.count)
            #expect((nodule.diameter < 6 ? -400 : -130)...130 ~= mean, "\(nodule): \(mean) HU")
        }
    }

    @Test func scansAreThoraces() {
        for phantom in Self.phantoms {
            let (scan, mask) = (phantom.scan, phantom.lungMask)
            #expect(scan.extent.x == 80)
            #expect(mask.geometry == scan.geometry)
            let voxelVolume = scan.geometry.spacing.product
            let body = Double(scan.voxels.count { $0 > -500 }) * voxelVolume
            for label in [3, 4] as [UInt8] {
                let lung = zip(scan.voxels, mask.voxels).filter { $0.1 == label }.map { Int($0.0) }
                #expect(Double(lung.count) * voxelVolume > 0.06 * body)
                // Most of a lung is air between vessels.
                #expect(lung.count { $0 < -700 } > lung.count * 3 / 4)
                #expect(lung.contains { $0 > -100 })
            }
            #expect(mask.voxels.contains(5))
            #expect(scan.voxels.contains { $0 > 400 })
        }
    }

    @Test func leftLungHasLabelThree() throws {
        for phantom in Self.phantoms {
            let geometry = phantom.lungMask.geometry
            let sign = Double(try #require(geometry.axisSigns).x)
            // World x grows to the patient's left.
            var mean: [UInt8: (sum: Double, count: Double)] = [:]
            for (index, label) in phantom.lungMask.voxels.enumerated() where label == 3 || label == 4 {
                let x = geometry.origin.x + sign * Double(index % geometry.extent.x) * geometry.spacing.x
                mean[label, default: (0, 0)].sum += x
                mean[label, default: (0, 0)].count += 1
            }
            let (left, right) = (try #require(mean[3]), try #require(mean[4]))
            #expect(left.sum / left.count > right.sum / right.count)
        }
    }

    @Test func scansDiffer() {
        let geometries = Self.phantoms.map(\.scan.geometry)
        #expect(Set(geometries.map(\.spacing)).count == Self.phantoms.count)
        #expect(geometries.count { $0.orientation == VolumeGeometry.turned } == 2)
        #expect(geometries.contains { $0.spacing.z != $0.spacing.x })
        #expect(Set(Self.phantoms.map(\.seriesUID)).count == Self.phantoms.count)
        #expect(Self.phantoms.allSatisfy { $0.seriesUID.utf8.count <= 64 && $0.nodules.count <= 4 })
    }

    @Test func cleansLikeARealScan() throws {
        for phantom in Self.phantoms {
            let clean = try Preprocessing.cleanVolume(
                scan: phantom.scan, lungMask: phantom.lungMask, seriesUID: phantom.seriesUID,
                annotations: phantom.nodules)
            #expect(clean.nodules.count == phantom.nodules.count && clean.outsideLabels.isEmpty)
            #expect(clean.extent.array.allSatisfy { (30...130).contains($0) })
        }
    }

    @Test func sameSeedSameBytesAtAnyThreadCount() throws {
        try withTemporaryDirectory { directory in
            for (name, threads, seed) in [("a", 1, 7), ("b", 3, 7), ("c", 1, 8)] as [(String, Int, UInt64)] {
                try PhantomDataSet(scans: 3, seed: seed, size: 64)
                    .write(to: "\(directory)/\(name)", pool: ThreadPool(threads: threads))
            }
            func content(_ name: String) throws -> [String: [UInt8]] {
                var result: [String: [UInt8]] = [:]
                for folder in try FileContent.names(inDirectory: "\(directory)/\(name)") {
                    for file in try FileContent.names(inDirectory: "\(directory)/\(name)/\(folder)") {
                        result["\(folder)/\(file)"] = try FileContent.bytes("\(directory)/\(name)/\(folder)/\(file)")
                    }
                }
                return result
            }
            let first = try content("a")
            #expect(first.count == 3 * 4 + 2)
            #expect(try content("b") == first)
            #expect(try content("c") != first)
        }
    }

    @Test func writesTheLayoutOnce() throws {
        try withTemporaryDirectory { directory in
            let output = "\(directory)/phantoms"
            let dataSet = try PhantomDataSet(scans: 11, seed: 1, size: 64)
            let nodules = try dataSet.write(to: output, pool: ThreadPool(threads: 2))
            let layout = try LUNA16Layout(directory: output)
            #expect(layout.missingSubsets.isEmpty)
            #expect(layout.scans.map(\.fold) == [0, 0] + Array(1...9))
            for scan in layout.scans {
                let mask = try MetaImageHeader(path: try #require(try layout.maskPath(for: scan)))
                #expect(mask.isCompressed && mask.dataPath.hasSuffix(".zraw"))
                #expect(try MetaImageHeader(path: scan.path).elementType == .short)
            }
            let annotations = try ScanAnnotations.read(try #require(layout.annotationsPath))
            #expect(annotations.values.reduce(0) { $0 + $1.count } == nodules)
            #expect(Set(annotations.keys).isSubset(of: layout.scans.map(\.seriesUID)))
            let error = #expect(throws: UsageError.self) {
                try dataSet.write(to: output, pool: ThreadPool(threads: 1))
            }
            #expect(error?.description.contains("not empty") == true)
        }
    }

    @Test(arguments: [(0, 160), (10_001, 160), (-1, 160), (20, 63), (20, 513)])
    func refusesWhatMakesNoSense(_ scans: Int, _ size: Int) {
        #expect(throws: UsageError.self) { try PhantomDataSet(scans: scans, size: size) }
    }
}
