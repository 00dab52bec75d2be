import Basics
import FileIO
import TestSupport
import Testing

@testable import CT

@Suite struct LungSegmentationTests {
    /// What a chest is put through, and the labels that its lungs should have then.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var chest: @Sendable () -> MadeChest
        var change: @Sendable (inout MadeChest) -> Void = { _ in }
        var labels: [UInt8] = [3, 4]
    }

    static let cases: [Case] = [
        Case(testDescription: "thick slices") { .thick },
        Case(testDescription: "noise") { .noisy },
        Case(testDescription: "lungs that touch", chest: { .thick }, change: { $0.joinLungsInFront() }),
        Case(
            testDescription: "lungs that touch, thin slices", chest: { .noisy }, change: { $0.joinLungsInFront() }),
        Case(
            testDescription: "cut-off apex", chest: { .thick },
            change: { $0.crop(z: 0..<62, y: 0..<$0.scan.extent.y, x: 0..<$0.scan.extent.x) }),
        Case(testDescription: "padding", chest: { .thick }, change: { $0.pad(with: -2048, beyond: 1.05) }),
        Case(testDescription: "padding like air", chest: { .noisy }, change: { $0.pad(with: -1024, beyond: 1.05) }),
        Case(testDescription: "narrow field of view", chest: { .thick }, change: { $0.pad(with: -3024, beyond: 0.66) }),
        Case(
            testDescription: "cut at the sides", chest: { .noisy },
            change: { $0.crop(z: 4..<140, y: 60..<180, x: 35..<190) }),
        Case(testDescription: "open trachea", chest: { .thick }, change: { $0.openTrachea(slices: 5) }),
        Case(
            testDescription: "open trachea, head first", chest: { .thick },
            change: {
                $0.openTrachea(slices: 4)
                $0.reverseSlices()
            }),
        Case(testDescription: "head first", chest: { .thick }, change: { $0.reverseSlices() }),
        Case(testDescription: "turned", chest: { .thick }, change: { $0.reverseInPlane() }),
        Case(testDescription: "left lung only", chest: { .thick }, change: { $0.flood(lung: 4) }, labels: [3]),
        Case(testDescription: "right lung only", chest: { .noisy }, change: { $0.flood(lung: 3) }, labels: [4]),
    ]

    @Test(arguments: cases)
    func findsTheLungs(_ theCase: Case) throws {
        var chest = theCase.chest()
        theCase.change(&chest)
        let mask = try LungSegmentation.mask(of: chest.scan)
        #expect(mask.geometry == chest.scan.geometry)
        #expect(Set(mask.voxels) == Set(theCase.labels).union([0]))
        let both = chest.dice(mask) { $0 == 3 || $0 == 4 }
        #expect(both >= 0.95, "\(both)")
        for label in theCase.labels {
            let one = chest.dice(mask) { $0 == label }
            #expect(one >= 0.95, "label \(label): \(one)")
        }
    }

    /// The phantoms' patients are as small as toddlers and smaller.
    @Test func smallBodiesHaveSmallLungs() throws {
        for index in 0..<6 {
            let phantom = PhantomScan(index: index, seed: 5, size: 96)
            let mask = try LungSegmentation.mask(of: phantom.scan)
            var (both, all) = (0, 0)
            for (a, b) in zip(mask.voxels, phantom.lungMask.voxels) {
                both += a == b && a != 0 ? 1 : 0
                all += (a == 3 || a == 4 ? 1 : 0) + (b == 3 || b == 4 ? 1 : 0)
            }
            #expect(2 * Double(both) > 0.88 * Double(all), "\(index)")
        }
    }

    @Test func realNumbersGiveTheSame() throws {
        let chest = MadeChest.thick
        var scan = Volume(geometry: chest.scan.geometry, voxels: chest.scan.voxels.map { Float($0) }, source: "f.mhd")
        let mask = try LungSegmentation.mask(of: scan)
        #expect(try mask.voxels == LungSegmentation.mask(of: chest.scan).voxels)
        // Damaged voxels do no harm beyond their surroundings.
        for (index, value) in [(2_000_000, Float.nan), (2_500_000, .infinity), (3_000_000, -.infinity)] {
            scan.voxels[index] = value
        }
        let damaged = try LungSegmentation.mask(of: scan)
        #expect(zip(damaged.voxels, mask.voxels).count { $0 != $1 } < 300)
    }

    @Test func noLungsAreAnErrorThatSaysWhatIsThere() throws {
        func problem(_ scan: Volume<Int16>) throws -> InputError {
            try #require(throws: InputError.self) { _ = try LungSegmentation.mask(of: scan) }
        }
        let geometry = VolumeGeometry(extent: ZYX(40, 100, 100), spacing: ZYX(3, 3, 3))
        let body = try problem(
            Volume(geometry: geometry, voxels: [Int16](repeating: 40, count: 400_000), source: "body.mhd"))
        #expect(body.file == "body.mhd" && body.problem.contains("nothing in the scan is darker than -600 HU"))
        #expect(body.remedy?.contains("lung mask") == true)
        var generator = CounterGenerator(seed: 1, purpose: "air")
        let noise = (0..<400_000).map { _ in Int16(-1000 + generator.integer(in: -20..<21)) }
        let air = try problem(Volume(geometry: geometry, voxels: noise))
        #expect(air.problem.contains("all air in the scan surrounds the body"))
        let padding = try problem(Volume(geometry: geometry, voxels: [Int16](repeating: -2048, count: 400_000)))
        #expect(padding.problem.contains("no lungs found"))

        // An abdomen: no lungs, gas in stomach and bowel.
        var abdomen = MadeChest.thick
        for label in [3, 4, 5] as [UInt8] { abdomen.flood(lung: label) }
        abdomen.addGas([(SIMD3(0.3, -0.2, 0.1), 45), (SIMD3(-0.4, 0, -0.2), 30), (SIMD3(0.1, 0.1, -0.4), 20)])
        let gas = try problem(abdomen.scan)
        #expect(gas.problem.contains("0.38 litres, expected 0.68 to 8.2"), "\(gas)")
        // Enough air, but far from the scan's middle.
        var aside = MadeChest.thick
        for label in [3, 4, 5] as [UInt8] { aside.flood(lung: label) }
        aside.addGas([(SIMD3(-0.5625, -0.05, 0), 58)])
        aside.crop(z: 0..<92, y: 97..<271, x: 13..<271)
        let far = try problem(aside.scan)
        #expect(far.problem.contains("from the scan's axis, expected less than 62"), "\(far)")
    }

    @Test(arguments: [
        VolumeGeometry(extent: ZYX(1, 1, 1), spacing: ZYX(1, 1, 1)),
        VolumeGeometry(extent: ZYX(1, 2, 3), spacing: ZYX(1e-300, 1e300, 1)),
        VolumeGeometry(extent: ZYX(5, 1, 200), spacing: ZYX(1e9, 1e-9, 1e9)),
        VolumeGeometry(
            extent: ZYX(3, 3, 3), spacing: ZYX(1, 1, 1), orientation: [0.7, 0.7, 0, -0.7, 0.7, 0, 0, 0, 1]),
    ])
    func oddGeometriesAreErrors(_ geometry: VolumeGeometry) {
        for value in [-1000, -800, 0] as [Int16] {
            var voxels = [Int16](repeating: value, count: geometry.extent.product)
            voxels[voxels.count / 2] = 50
            #expect(throws: InputError.self) {
                _ = try LungSegmentation.mask(of: Volume(geometry: geometry, voxels: voxels))
            }
        }
    }

    @Test func aScanWithoutAMaskIsCleaned() throws {
        try withTemporaryDirectory { directory in
            let chest = MadeChest.thick
            try MetaImage.write(chest.scan, to: "\(directory)/scan.mhd")
            try MetaImage.write(chest.truth, to: "\(directory)/mask.mhd", compressed: true)
            func clean(_ mask: String?) throws -> CleanVolume {
                try Preprocessing.cleanVolume(scanPath: "\(directory)/scan.mhd", maskPath: mask, seriesUID: "s")
            }
            let (given, found) = (try clean("\(directory)/mask.mhd"), try clean(nil))
            #expect(!given.hasSegmentedLungs && found.hasSegmentedLungs)
            // The same box within a few voxels.
            for axis in 0..<3 {
                let (a, b) = (given.frame.cropStart[axis], found.frame.cropStart[axis])
                #expect(abs(a - b) <= 5)
                #expect(abs(a + given.extent[axis] - b - found.extent[axis]) <= 5)
            }
        }
    }
}
