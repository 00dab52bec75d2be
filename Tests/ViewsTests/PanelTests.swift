import Basics
import CT
import Detection
import Pictures
import Testing

@testable import Views

@Suite struct PanelTests {
    private static let extent = ZYX(21, 25, 31)

    /// Grey 50 with one bright voxel, of a scan whose axes run as `direction` says.
    private static func volume(bright: ZYX<Int>, direction: ZYX<Int> = ZYX(1, 1, 1)) -> CleanVolume {
        var voxels = [UInt8](repeating: 50, count: extent.product)
        voxels[(bright.z * extent.y + bright.y) * extent.x + bright.x] = 255
        return CleanVolume(
            seriesUID: "1.2", extent: extent, voxels: voxels,
            frame: WorldFrame(
                origin: ZYX(0, 0, 0), spacing: ZYX(1, 1, 1), direction: direction, scanExtent: extent,
                cropStart: ZYX(0, 0, 0)))
    }

    /// The mean place of the pixels that `isMeant`.
    private static func middle(_ picture: Picture, _ isMeant: (Color) -> Bool) -> (y: Double, x: Double, count: Int) {
        var (y, x, count) = (0.0, 0.0, 0)
        for row in 0..<picture.height {
            for column in 0..<picture.width where isMeant(picture[row, column]) {
                (y, x, count) = (y + Double(row), x + Double(column), count + 1)
            }
        }
        return (y / Double(count), x / Double(count), count)
    }

    /// The circle is drawn around the voxel's own pixels in all three planes, whole or cut out, whatever the axes do.
    @Test(arguments: [ZYX(1, 1, 1), ZYX(-1, 1, 1), ZYX(1, -1, -1), ZYX(1, -1, 1)], [nil, 16, 15])
    func circlesEncloseTheirVoxel(direction: ZYX<Int>, window: Int?) {
        let bright = ZYX(7, 9, 20)
        let grid = VoxelGrid(Self.volume(bright: bright, direction: direction))
        let center = bright.map(Double.init)
        for plane in Plane.allCases {
            var panel = Panel(
                grid, plane, through: center + ZYX(0.2, -0.3, 0.4), window: window, scale: 4, smooth: false)
            let voxel = Self.middle(panel.picture) { $0.red == 255 }
            #expect(voxel.count == 16)
            let place = panel.pixel(center)
            #expect(place.y == voxel.y && place.x == voxel.x)
            panel.circle(center: center, diameter: 4, Marks.nodule)
            let circle = Self.middle(panel.picture) { $0 == Marks.nodule }
            #expect(abs(circle.y - voxel.y) < 0.2 && abs(circle.x - voxel.x) < 0.2)
            // The voxel itself stays free.
            #expect(Self.middle(panel.picture) { $0.red == 255 && $0.green == 255 }.count == 16)
        }
    }

    /// Head on top, front on top or left, the patient's right on the left.
    @Test(arguments: [(ZYX(1, 1, 1), false, false), (ZYX(-1, -1, -1), true, false), (ZYX(1, -1, 1), false, true)])
    func picturesFaceTheReader(direction: ZYX<Int>, headAtZero: Bool, leftAtZero: Bool) {
        // Near the head, the front and the patient's left, where world z is high, y low and x high.
        let volume = Self.volume(bright: ZYX(headAtZero ? 2 : 18, 3, leftAtZero ? 4 : 26), direction: direction)
        let (a, b) = (volume.frame.world(ZYX(0, 0, 0)), volume.frame.world(ZYX(1, 1, 1)))
        #expect((b.z > a.z) == !headAtZero && (b.x > a.x) == !leftAtZero)
        let grid = VoxelGrid(volume)
        let bright = ZYX(headAtZero ? 2.0 : 18, 3, leftAtZero ? 4.0 : 26)
        let places = Plane.allCases.map { plane in
            let picture = Panel(grid, plane, through: bright, scale: 1, smooth: false).picture
            let place = Self.middle(picture) { $0.red == 255 }
            return (place.y / Double(picture.height), place.x / Double(picture.width))
        }
        #expect(places[0].0 < 0.25 && places[0].1 > 0.75)
        #expect(places[1].0 < 0.25 && places[1].1 > 0.75 && places[2].0 < 0.25)
    }

    @Test func aSliceBesideTheBallCutsASmallerCircle() {
        let grid = VoxelGrid(Self.volume(bright: ZYX(0, 0, 0)))
        var panel = Panel(grid, .axial, through: ZYX(14, 12, 15), scale: 4, smooth: false)
        let empty = panel.picture
        // 10 mm wide, 4 mm away: a circle of radius 3 + 1 mm.
        panel.circle(center: ZYX(10, 12, 15), diameter: 10, Marks.nodule)
        let middle = panel.pixel(ZYX(14, 12, 15))
        #expect(panel.picture[Int(middle.y), Int(middle.x) + 16] == Marks.nodule)
        panel = Panel(grid, .axial, through: ZYX(14, 12, 15), scale: 4, smooth: false)
        panel.circle(center: ZYX(8, 12, 15), diameter: 10, Marks.nodule)
        #expect(panel.picture == empty)
        panel.circle(center: ZYX(8, 12, 15), diameter: 10, Marks.nodule, always: true)
        #expect(panel.picture != empty)
    }

    @Test func squaresCoverTheirVoxels() {
        let bright = ZYX(9, 14, 22)
        let grid = VoxelGrid(Self.volume(bright: bright))
        for plane in Plane.allCases {
            var panel = Panel(grid, plane, through: bright.map(Double.init), scale: 3, smooth: false)
            let voxel = Self.middle(panel.picture) { $0.red == 255 }
            panel.square(first: ZYX(8, 12, 20), size: 4, inset: 0, Marks.positive)
            // The voxel is the third of the cell's four along y and x; along z the second, but z runs upwards.
            let square = Self.middle(panel.picture) { $0 == Marks.positive }
            #expect(abs(square.x - (voxel.x - 1.5)) < 0.01 && abs(square.y - (voxel.y - 1.5)) < 0.01)
        }
    }

    @Test(arguments: [1e300, -1e300, 1e7])
    func aPointFarOutsideGivesAnEmptyPicture(place: Double) {
        let grid = VoxelGrid(Self.volume(bright: ZYX(1, 1, 1)))
        var panel = Panel(grid, .sagittal, through: ZYX(place, 5, place), window: 48, scale: 2, smooth: true)
        panel.circle(center: ZYX(place, 5, place), diameter: 1e6, Marks.nodule)
        panel.name()
        #expect(panel.picture.width == 96 && panel.picture[50, 90].red == 40)
    }

    @Test(arguments: [
        ("1.3.6.1", "1.3.6.1.png"), ("../../etc/x", "_.._.._etc_x.png"), ("", "_.png"), ("ä b\n", "__b_.png"),
        (String(repeating: "9", count: 5000), String(repeating: "9", count: 200) + ".png"),
    ])
    func namesStayInTheDirectory(text: String, name: String) {
        #expect(View(text) { Picture(width: 1, height: 1, color: Picture.ink) }.name == name)
    }
}
