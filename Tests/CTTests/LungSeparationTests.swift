import Basics
import Testing

@testable import CT

@Suite struct LungSeparationTests {
    private static let extent = ZYX(40, 40, 150)

    private static func boxes(_ boxes: (z: Range<Int>, y: Range<Int>, x: Range<Int>)...) -> BitVolume {
        var volume = BitVolume(extent: extent)
        for box in boxes {
            for z in box.z { for y in box.y { volume.set(z: z, y: y, box.x) } }
        }
        return volume
    }

    private func separate(_ voxels: BitVolume, spacing: ZYX<Double> = ZYX(1, 1, 1)) -> LungSeparation.Lungs {
        LungSeparation(spacing: spacing, middle: 75).separate(voxels)
    }

    private static let right = (z: 5..<35, y: 5..<35, x: 10..<60)
    private static let left = (z: 5..<35, y: 5..<35, x: 90..<140)

    @Test(arguments: [ZYX(1.0, 1, 1), ZYX(2.5, 0.8, 0.8), ZYX(1e-300, 1, 1), ZYX(1e300, 1, 1)])
    func aBridgeIsHalved(_ spacing: ZYX<Double>) throws {
        let voxels = Self.boxes(Self.right, Self.left, (15..<25, 16..<24, 60..<90))
        let lungs = separate(voxels, spacing: spacing)
        let (lower, higher) = (try #require(lungs.lower), try #require(lungs.higher))
        var both = lower
        both.formIntersection(higher)
        #expect(both.isEmpty)
        // The bridge grows back from both ends; a seam may belong to neither.
        #expect(abs(lower.count - higher.count) <= 80)
        #expect(voxels.count - lower.count - higher.count <= 2 * 80)
        #expect(lower[20, 20, 70] && !higher[20, 20, 70] && higher[20, 20, 79] && !lower[20, 20, 79])
        #expect(lower[5, 5, 10] && higher[34, 34, 139])
    }

    @Test func whatLiesAboveIsNoOtherLung() throws {
        // Two lobes of the right lung, and no left one.
        let lungs = separate(
            Self.boxes((2..<18, 5..<35, 20..<60), (22..<38, 5..<35, 15..<55), (18..<22, 18..<22, 30..<34)))
        #expect(lungs.higher == nil)
        #expect(try #require(lungs.lower).count == 2 * 16 * 30 * 40 + 64)
    }

    @Test func whatDoesNotPartIsCutWhereItIsThinnest() throws {
        // So tall a bridge that erosion eats the lungs first.
        let lungs = separate(
            Self.boxes((0..<40, 0..<40, 10..<70), (0..<40, 0..<40, 74..<140), (0..<40, 1..<40, 70..<74)))
        let (lower, higher) = (try #require(lungs.lower), try #require(lungs.higher))
        #expect(lower.count == 40 * 40 * 60)
        #expect(higher.count == 40 * 40 * 66 + 3 * 40 * 39)
    }

    @Test func holesAreFilledAndOpenOnesAreNot() {
        var lung = Self.boxes((0..<20, 5..<35, 10..<60))
        // A nodule; a vessel through the whole lung; another that leaves the lung below.
        let spaces = [(8..<11, 20..<23, 30..<33), (0..<20, 10..<12, 40..<42), (5..<15, 5..<8, 20..<22)]
        for (z, y, x) in spaces {
            for z in z { for y in y { lung.clear(z: z, y: y, x) } }
        }
        let whole = 20 * 30 * 50
        LungShape.fillHoles(&lung)
        // The vessel ends at the scan's first slice: in three dimensions it is open, in each slice closed.
        #expect(lung.count == whole - 80 - 60)
        LungShape.fillHolesOfSlices(&lung)
        #expect(lung.count == whole - 60)
        #expect(!lung[8, 6, 21] && lung[8, 10, 40])
    }

    @Test func theTracheaIsCutOff() {
        // A trachea beside the lung, joined at the bottom by a bronchus: a hundredth of the area; and a second part of
        // the lung within its hull.
        let lung = Self.boxes((5..<35, 5..<35, 10..<60))
        var joined = Self.boxes((5..<35, 5..<35, 10..<60), (8..<40, 18..<22, 64..<68), (8..<10, 19..<21, 60..<64))
        LungShape.keepMainPart(&joined)
        var lost = joined
        lost.formIntersection(lung)
        #expect(lost.count == lung.count)
        // Of the trachea there is what the bronchus joins to the lung in its own slices.
        #expect(joined.count - lung.count <= 2 * (4 * 2 + 16))
    }
}
