import Basics
import FileIO
import TestSupport
import Testing

@testable import CT

/// What phantoms of the hard style promise.
@Suite struct HardPhantomTests {
    private static let phantoms = (0..<12).map { PhantomScan(index: $0, seed: 3, size: 112, style: .hard) }

    /// Voxels of a volume whose centres lie within so many millimetres of a point.
    private func values<Voxel>(_ volume: Volume<Voxel>, near point: WorldPoint, within radius: Double) -> [Voxel] {
        let geometry = volume.geometry
        let center = (ZYX(point.z, point.y, point.x) - geometry.origin).map(abs).zip(geometry.spacing, /)
        var result: [Voxel] = []
        for (index, value) in volume.voxels.enumerated() {
            let (row, x) = index.quotientAndRemainder(dividingBy: geometry.extent.x)
            let (z, y) = row.quotientAndRemainder(dividingBy: geometry.extent.y)
            let offset = (ZYX(z, y, x).map(Double.init) - center) * geometry.spacing
            if (offset * offset).array.reduce(0, +) <= radius * radius { result.append(value) }
        }
        return result
    }

    private func mean(_ values: [Int16]) -> Double { values.reduce(0) { $0 + Double($1) } / Double(values.count) }

    @Test(arguments: [PhantomStyle.simple, .hard]) func bitsAreThoseRecorded(_ style: PhantomStyle) {
        var digest = Digest()
        for index in [0, 2] {
            let phantom = PhantomScan(index: index, seed: 11, size: 64, style: style)
            for voxel in phantom.scan.voxels { digest.add(Int(voxel)) }
            for label in phantom.lungMask.voxels { digest.add(Int(label)) }
            for nodule in phantom.nodules {
                digest.add("\(nodule.center.x) \(nodule.center.y) \(nodule.center.z) \(nodule.diameter)")
            }
        }
        #expect(digest.value == (style == .simple ? 9_107_428_799_699_997_616 : 15_851_792_728_307_414_343))
    }

    @Test func diametersAreDistributedAsThoseOfLUNA16() {
        var generator = CounterGenerator(seed: 1, purpose: "test of diameters")
        let diameters = (0..<20_000).map { _ in PhantomPlacement.diameter(&generator) }.sorted()
        #expect(diameters[0] >= 3 && diameters[19_999] <= 33)
        // LUNA16's quartiles, and the part of its nodules that is at least 4 and below 8 mm.
        for (place, expected) in [(5000, 5.11), (10_000, 6.43), (15_000, 9.7)] {
            #expect(abs(diameters[place] - expected) < 0.03 * expected, "\(diameters[place]) mm")
        }
        let middling = diameters.count { $0 >= 4 && $0 < 8 }
        #expect((0.58...0.63).contains(Double(middling) / 20_000), "\(middling)")
    }

    /// Placing alone, without drawing, is quick enough for many scans.
    @Test func scansHoldAllKindsOfNodulesAndSomeHoldNone() {
        var counts: [Int] = []
        var lesions: [PhantomLesion] = []
        for index in 0..<48 {
            var generator = CounterGenerator(seed: 4, purpose: "test of placement", UInt64(index))
            let chest = PhantomChest(windowSize: Point(100, 80, 75), generator: &generator)
            let fissures = PhantomFissures(chest, generator: &generator)
            let tubes = PhantomTrees(chest, fissures, generator: &generator).tubes
            let placement = PhantomPlacement(chest, fissures, tubes, generator: &generator)
            counts.append(placement.lesions.count)
            lesions += placement.lesions
        }
        #expect((1.4...2.5).contains(Double(lesions.count) / 48), "\(lesions.count)")
        #expect((3...20).contains(counts.count { $0 == 0 }), "\(counts)")
        let isSolid = Double(lesions.count { $0.kind == .solid }) / Double(lesions.count)
        #expect((0.6...0.88).contains(isSolid), "\(isSolid)")
        for kind in PhantomFinding.Kind.nodules { #expect(lesions.contains { $0.kind == kind }, "\(kind)") }
        for margin in PhantomFinding.Margin.allCases { #expect(lesions.contains { $0.margin == margin }, "\(margin)") }
        for site in PhantomFinding.Site.allCases { #expect(lesions.contains { $0.site == site }, "\(site)") }
        for lesion in lesions where lesion.kind != .solid {
            #expect((-650 ... -300).contains(lesion.hounsfield), "\(lesion.kind)")
        }
    }

    @Test func nodulesLieInTheLung() throws {
        let nodules = Self.phantoms.flatMap { phantom in phantom.nodules.map { (phantom, $0) } }
        try #require(nodules.count >= 12)
        for (phantom, nodule) in nodules {
            let around = values(phantom.lungMask, near: nodule.center, within: nodule.diameter / 2 + 2.5)
            let isLung = around.count { $0 == 3 || $0 == 4 }
            #expect(isLung * 4 > around.count, "\(phantom.seriesUID) \(nodule): \(isLung) of \(around.count)")
        }
    }

    @Test func nodulesHaveTheHounsfieldOfTheirKind() throws {
        var seen: Set<PhantomFinding.Kind> = []
        for phantom in Self.phantoms {
            for finding in phantom.findings where finding.diameter > 5 || finding.kind == .granuloma {
                let inside = values(phantom.scan, near: finding.center, within: max(1, finding.diameter * 0.25))
                try #require(!inside.isEmpty)
                let expected: ClosedRange<Double>
                switch finding.kind {
                case .solid: expected = -260...260
                case .partSolid: expected = -660...120
                // A vessel may pass.
                case .groundGlass: expected = -720 ... -150
                case .granuloma where finding.diameter > 4: expected = 150...1500
                default: continue
                }
                seen.insert(finding.kind)
                #expect(expected.contains(mean(inside)), "\(finding): \(mean(inside)) HU")
            }
        }
        #expect(seen.isSuperset(of: [.solid, .partSolid, .groundGlass, .granuloma]), "\(seen)")
    }

    @Test func luresAreNotAnnotated() {
        var lures: Set<PhantomFinding.Kind> = []
        for phantom in Self.phantoms {
            let isNodule = phantom.findings.map(\.kind.isNodule)
            #expect(phantom.nodules.count == isNodule.count { $0 })
            for lure in phantom.findings where !lure.kind.isNodule {
                lures.insert(lure.kind)
                for nodule in phantom.nodules {
                    let (a, b) = (nodule.center, lure.center)
                    let distance = Point(a.x - b.x, a.y - b.y, a.z - b.z).length
                    // A mark in the middle of a lure is no hit.
                    #expect(distance > nodule.diameter / 2 + lure.diameter / 2 + 2.9, "\(lure) at \(nodule)")
                }
            }
        }
        #expect(lures == Set(PhantomFinding.Kind.allCases.filter { !$0.isNodule }))
    }

    @Test func onlyBallsBelowThreeMillimetresAreExcluded() {
        let findings = Self.phantoms.flatMap(\.findings)
        #expect(findings.contains { $0.isExcluded })
        for finding in findings {
            let isBall = finding.kind == .micronodule || finding.kind == .granuloma
            #expect(finding.isExcluded == (isBall && finding.diameter < 3))
            if finding.kind.isNodule { #expect(finding.diameter >= 3) }
        }
    }

    @Test func scansDifferAsScannersDo() {
        let spacings = Self.phantoms.map(\.scan.geometry.spacing)
        #expect(Set(spacings.map(\.z)).count >= 4)
        #expect(spacings.allSatisfy { (0.6...2.5).contains($0.z) && (0.6...0.9).contains($0.x) })
        #expect(Self.phantoms.count { $0.scan.geometry.orientation == VolumeGeometry.turned } == 4)
        #expect(Set(Self.phantoms.map(\.seriesUID)).count == Self.phantoms.count)
        for phantom in Self.phantoms {
            let lung = zip(phantom.scan.voxels, phantom.lungMask.voxels).filter { $0.1 == 3 || $0.1 == 4 }.map(\.0)
            #expect(lung.count * 8 > phantom.scan.voxels.count, "\(phantom.seriesUID)")
            #expect((-930 ... -700).contains(mean(lung)), "\(mean(lung)) HU")
        }
    }

    @Test func cleansLikeARealScan() throws {
        for phantom in Self.phantoms {
            let clean = try Preprocessing.cleanVolume(
                scan: phantom.scan, lungMask: phantom.lungMask, seriesUID: phantom.seriesUID,
                annotations: phantom.nodules)
            #expect(clean.nodules.count == phantom.nodules.count && clean.outsideLabels.isEmpty)
            for nodule in clean.nodules {
                // A mask that left a nodule out would have it padded.
                let center = nodule.center.map { Int($0.rounded()) }
                let row = (center.z * clean.extent.y + center.y) * clean.extent.x
                let greys = (max(0, center.x - 2)..<min(clean.extent.x, center.x + 3)).map { clean.voxels[row + $0] }
                #expect(greys.contains { $0 != CleanVolume.padding }, "\(phantom.seriesUID) \(nodule)")
            }
        }
    }

    @Test func writesTheSameLayoutAtAnyThreadCount() throws {
        try withTemporaryDirectory { directory in
            let dataSet = try PhantomDataSet(scans: 6, seed: 7, size: 64, style: .hard)
            for threads in [1, 3] {
                let nodules = try dataSet.write(to: "\(directory)/\(threads)", pool: ThreadPool(threads: threads))
                let layout = try LUNA16Layout(directory: "\(directory)/\(threads)")
                let annotations = try ScanAnnotations.read(try #require(layout.annotationsPath))
                #expect(annotations.values.reduce(0) { $0 + $1.count } == nodules)
            }
            for folder in try FileContent.names(inDirectory: "\(directory)/1") {
                for file in try FileContent.names(inDirectory: "\(directory)/1/\(folder)") {
                    let contents = try [1, 3].map { try FileContent.bytes("\(directory)/\($0)/\(folder)/\(file)") }
                    #expect(contents[0] == contents[1], "\(folder)/\(file)")
                }
            }
            let columns = ["seriesuid", "coordX", "coordY", "coordZ", "diameter_mm"]
            let findings = try CSVTable(
                contentsOf: "\(directory)/1/CSVFILES/findings.csv", requiring: columns + ["kind", "margin", "site"])
            let excluded = try CSVTable(
                contentsOf: "\(directory)/1/CSVFILES/annotations_excluded.csv", requiring: columns)
            #expect(findings.count > excluded.count && excluded.count > 0)
        }
    }

    @Test(arguments: [64, 65, 67, 180]) func drawsAnySize(_ size: Int) {
        let phantom = PhantomScan(index: 2, seed: .max, size: size, style: .hard)
        #expect(phantom.scan.extent.x == size && phantom.lungMask.extent == phantom.scan.extent)
        #expect(phantom.lungMask.voxels.contains { $0 == 3 || $0 == 4 })
    }
}
