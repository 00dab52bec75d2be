import Basics
import CT
import FileIO
import PatchData
import Pictures
import Testing

@testable import Views

@Suite struct VolumeViewTests {
    private static func volume(_ extent: ZYX<Int>, _ nodules: [Nodule]) -> CleanVolume {
        CleanVolume(
            seriesUID: "1.2/..", extent: extent, voxels: [UInt8](repeating: 100, count: extent.product),
            frame: WorldFrame(
                origin: ZYX(0, 0, 0), spacing: ZYX(1, 1, 1), flipped: false, scanExtent: extent,
                cropStart: ZYX(0, 0, 0)), nodules: nodules)
    }

    /// One voxel, flat, long: with nodules in, at the edge of and far larger than the volume.
    @Test(arguments: [ZYX(1, 1, 1), ZYX(1, 60, 1), ZYX(3, 5, 300), ZYX(40, 50, 60)])
    func everyVolumeIsDrawn(extent: ZYX<Int>) throws {
        let nodules = [
            Nodule(center: ZYX(0, 0, 0), diameter: 1e-9), Nodule(center: extent.map { Double($0) - 0.5 }, diameter: 9),
            Nodule(center: ZYX(-9e5, 9e5, 0), diameter: 9e5),
        ]
        let views = try View.volume(Self.volume(extent, nodules), slices: 20, file: "v.h5")
        #expect(
            views.map(\.name) == [
                "1.2_..-nodule-01.png", "1.2_..-nodule-02.png", "1.2_..-nodule-03.png", "1.2_..-slices.png",
            ])
        for view in views { #expect(try view.draw().pixels.contains(Picture.ink)) }
        let without = try View.volume(Self.volume(extent, []), slices: 3, file: "v.h5")
        #expect(without.map(\.name) == ["1.2_..-middle.png", "1.2_..-slices.png"])
        #expect(try !without[1].draw().pixels.contains(Marks.nodule))
    }

    /// Names that differ in what a file name cannot have are still two files.
    @Test func everyPictureHasItsOwnName() {
        let views = ["a,b", "a b", "a_b", "c", "a_b-2"].map { name in
            View(name) { Picture(width: 1, height: 1, color: Picture.ink) }
        }
        #expect(
            View.withDistinctNames(views).map(\.name)
                == ["a_b.png", "a_b-2.png", "a_b-3.png", "c.png", "a_b-2-2.png"])
    }

    @Test func aVolumeOfManyMetresIsRefused() {
        #expect {
            _ = try View.volume(Self.volume(ZYX(1, 2049, 1), []), slices: 3, file: "v.h5")
        } throws: { ($0 as? InputError)?.file == "v.h5" }
    }

    /// A nodule that no shown slice cuts is still on the sheet.
    @Test func noduleBetweenSlicesIsShown() throws {
        let small = Self.volume(ZYX(60, 40, 40), [Nodule(center: ZYX(37, 20, 20), diameter: 3)])
        let sheet = try #require(try View.volume(small, slices: 2, file: "v.h5").last).draw()
        #expect(sheet.pixels.contains(Marks.nodule))
    }

    @Test func whatAugmentationDidIsSaid() {
        var changes = CropChanges()
        #expect(View.changes(changes) == "scale 1.00, not flipped")
        changes.scale = 0.756
        changes.angle = .pi / 2
        changes.order = [0, 2, 1]
        changes.reversed = [false, true, true]
        #expect(View.changes(changes) == "scale 0.76, turned 90 degrees, axes z x y, flipped y x")
    }
}
