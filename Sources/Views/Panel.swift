// A slice of voxels as a picture, and marks at the right places on it.
//
// Pictures face the reader as radiologists are used to: the patient's right on the left, in sagittal slices the front
// on the left, the front on top of axial slices and the head on top of the others.

import Basics
import CT
import Pictures

/// The three ways to slice a volume.
public enum Plane: String, CaseIterable, Sendable {
    /// Slices from below: stacked along z.
    case axial
    /// Slices from the front: stacked along y.
    case coronal
    /// Slices from the side: stacked along x.
    case sagittal

    /// The axis that the slices are stacked along (0 is z).
    var normal: Int { self == .axial ? 0 : self == .coronal ? 1 : 2 }
    /// The axis that runs down the picture, or up it.
    var rowAxis: Int { self == .axial ? 1 : 0 }
    /// The axis that runs across.
    var columnAxis: Int { self == .sagittal ? 1 : 2 }
    /// The name of `normal`.
    var axisName: String { ["z", "y", "x"][normal] }
    /// The letters of the patient's sides that are on the picture's left and on its top.
    var sides: (left: String, top: String) {
        switch self {
        case .axial: ("R", "A")
        case .coronal: ("R", "H")
        case .sagittal: ("A", "H")
        }
    }
}

/// A box of voxels to look at.
struct VoxelGrid {
    let extent: ZYX<Int>
    /// The grey levels [z, y, x].
    let voxels: [UInt8]
    /// Whether each axis runs against its usual way: z towards the head, y to the back, x to the patient's left.
    var reversed = ZYX(false, false, false)

    /// Creates the grid of a clean volume, whose voxels follow the scan's; a scan that is flipped in y and x was turned
    /// upright.
    init(_ volume: CleanVolume) {
        extent = volume.extent
        voxels = volume.voxels
        let frame = volume.frame
        let turned = ZYX(1, -1, -1)
        reversed = ZYX(0, 1, 2).map { frame.direction[$0] * (frame.flipped ? turned[$0] : 1) < 0 }
    }

    /// Creates the grid of a cube whose axes run as scans' usually do.
    init(cube voxels: [UInt8], side: Int) {
        extent = ZYX(repeating: side)
        self.voxels = voxels
    }

    subscript(z: Int, y: Int, x: Int) -> UInt8? {
        guard 0..<extent.z ~= z, 0..<extent.y ~= y, 0..<extent.x ~= x else { return nil }
        return voxels[(z * extent.y + y) * extent.x + x]
    }

    /// The middle, in voxels.
    var middle: ZYX<Double> { extent.map { Double($0 - 1) / 2 } }
}

/// One slice, or a square cut out of it, with marks.
struct Panel {
    let plane: Plane
    /// The slice's place along the plane's normal, in voxels.
    let slice: Int
    /// The number of pixels for each voxel.
    let scale: Int
    private(set) var picture: Picture
    private let rows: Range<Int>
    private let columns: Range<Int>
    private let isUpsideDown: Bool
    private let isMirrored: Bool

    /// The grey of places outside the voxels: not to be mistaken for air or for padding.
    private static let outside: UInt8 = 40

    /// - Parameters:
    ///   - point: Where to slice, in voxels; any finite numbers.
    ///   - window: Voxels along each side of a square around `point`; nil for the whole slice.
    ///   - smooth: Whether to interpolate between voxels.
    init(_ grid: VoxelGrid, _ plane: Plane, through point: ZYX<Double>, window: Int? = nil, scale: Int, smooth: Bool) {
        self.plane = plane
        self.scale = scale
        // Candidates may lie anywhere, and no volume is a million voxels long.
        let voxel = point.map { Int(min(max($0, -1e6), 1e6).rounded()) }
        slice = voxel[plane.normal]
        func range(_ axis: Int) -> Range<Int> {
            guard let window else { return 0..<grid.extent[axis] }
            return voxel[axis] - window / 2..<voxel[axis] - window / 2 + window
        }
        rows = range(plane.rowAxis)
        columns = range(plane.columnAxis)
        isUpsideDown = (plane.rowAxis == 0) != grid.reversed[plane.rowAxis]
        isMirrored = grid.reversed[plane.columnAxis]
        var grey: [UInt8] = []
        grey.reserveCapacity(rows.count * columns.count)
        for down in rows.indices {
            let row = isUpsideDown ? rows.upperBound - 1 - (down - rows.lowerBound) : down
            for across in columns.indices {
                let column = isMirrored ? columns.upperBound - 1 - (across - columns.lowerBound) : across
                let value =
                    switch plane {
                    case .axial: grid[slice, row, column]
                    case .coronal: grid[row, slice, column]
                    case .sagittal: grid[row, column, slice]
                    }
                grey.append(value ?? Self.outside)
            }
        }
        picture = Picture(grey: grey, rows: rows.count, columns: columns.count, scale: scale, smooth: smooth)
    }

    /// The place on the picture of a voxel, with fractions.
    func pixel(_ voxel: ZYX<Double>) -> (y: Double, x: Double) {
        func place(_ value: Double, _ range: Range<Int>, _ isReversed: Bool) -> Double {
            let voxels = isReversed ? Double(range.upperBound - 1) - value : value - Double(range.lowerBound)
            return (voxels + 0.5) * Double(scale) - 0.5
        }
        return (place(voxel[plane.rowAxis], rows, isUpsideDown), place(voxel[plane.columnAxis], columns, isMirrored))
    }

    /// Circles a ball 1 mm outside its surface, as large as this slice cuts it.
    ///
    /// - Parameter always: Whether a circle is drawn, at the ball's full size, where the slice misses it, too.
    mutating func circle(
        center: ZYX<Double>, diameter: Double, _ color: Color, dashed: Bool = false, always: Bool = false
    ) {
        let distance = abs(Double(slice) - center[plane.normal])
        // The slice is 1 mm thick.
        let isCut = distance <= max(diameter / 2, 0.5)
        guard isCut || always else { return }
        let radius = isCut ? max(0, diameter * diameter / 4 - distance * distance).squareRoot() : diameter / 2
        let place = pixel(center)
        let pixels = (radius + 1) * Double(scale)
        picture.circle(y: place.y, x: place.x, radius: pixels, Color(grey: 0), stroke: 3.5, dashed: dashed)
        picture.circle(y: place.y, x: place.x, radius: pixels, color, stroke: 2, dashed: dashed)
    }

    /// A square in place of `size` voxels along each axis, its lowest corner at `first`.
    mutating func square(first: ZYX<Int>, size: Int, inset: Int, _ color: Color, stroke: Int = 1) {
        let area = pixels(first: first, size: size)
        picture.outline(
            y: area.y + inset, x: area.x + inset, height: area.side - 2 * inset, width: area.side - 2 * inset, color,
            stroke: stroke)
    }

    /// A dot in the middle of the square that `square` would outline.
    mutating func dot(first: ZYX<Int>, size: Int, _ color: Color) {
        let area = pixels(first: first, size: size)
        let side = max(2, area.side / 4)
        picture.fill(
            y: area.y + (area.side - side) / 2, x: area.x + (area.side - side) / 2, height: side, width: side, color)
    }

    private func pixels(first: ZYX<Int>, size: Int) -> (y: Int, x: Int, side: Int) {
        let (row, column) = (first[plane.rowAxis] - rows.lowerBound, first[plane.columnAxis] - columns.lowerBound)
        return (
            (isUpsideDown ? rows.count - row - size : row) * scale,
            (isMirrored ? columns.count - column - size : column) * scale, size * scale
        )
    }

    /// Writes plane and slice into the upper left corner.
    mutating func name() { label("\(plane.rawValue) \(plane.axisName) \(slice)", y: 3, x: 3) }

    /// Writes the letters of the patient's sides on the left and on top.
    mutating func letters() {
        label(plane.sides.left, y: picture.height / 2 - 7, x: 3)
        label(plane.sides.top, y: 3, x: picture.width / 2 - 3)
    }

    /// Draws a bar of so many millimetres in the lower right corner, with its length.
    ///
    /// - Parameter enlarged: Voxels for each millimetre.
    mutating func scaleBar(_ millimetres: Int, enlarged: Double = 1) {
        let width = Int((Double(millimetres * scale) * enlarged).rounded())
        let text = "\(millimetres) mm"
        guard width + 12 < picture.width, picture.height > 40 else { return }
        let (y, x) = (picture.height - 9, picture.width - 7 - width)
        picture.fill(y: y - 1, x: x - 1, height: 5, width: width + 2, Color(grey: 0))
        picture.fill(y: y, x: x, height: 3, width: width, Color(grey: 255))
        label(text, y: y - 15, x: picture.width - 9 - Picture.textWidth(text, scale: 1))
    }

    /// Writes small text on a dark ground.
    private mutating func label(_ text: String, y: Int, x: Int) {
        picture.fill(
            y: y, x: x, height: 11, width: Picture.textWidth(text, scale: 1) + 4, Color(grey: 0), coverage: 0.7)
        picture.text(text, y: y + 2, x: x + 2, Color(grey: 255))
    }
}
