import Basics

@testable import CT

/// The chest of a grown-up with all that makes lungs hard to find, and the truth about its lungs.
///
/// Made of the phantoms' anatomy, vessels and noise: 320 mm wide, on a table with a foam core, with nodules on the wall
/// of the lungs, which the bronchi join. What tests vary is changed afterwards.
struct MadeChest {
    var scan: Volume<Int16>
    /// 3 the left lung, 4 the right one, 5 the airways.
    var truth: Volume<UInt8>

    static let halfWidth = 160.0
    /// Thick slices.
    static let thick = MadeChest(seed: 3, spacing: ZYX(2.5, 1.25, 1.25), noise: 25)
    /// Thin slices, and noise as at a low dose.
    static let noisy = MadeChest(seed: 4, spacing: ZYX(1.5, 1.5, 1.5), noise: 60)

    init(seed: UInt64, spacing: ZYX<Double>, noise: Float) {
        var generator = CounterGenerator(seed: seed, purpose: "made chest")
        let scale = Self.halfWidth
        let size = ZYX(2 * PhantomAnatomy.halfHeight, 2.12, 2.12)
        let extent = size.zip(spacing) { Int($0 * scale / $1) }
        let anatomy = PhantomAnatomy(scale: scale, generator: &generator)
        var image = PhantomImage(extent: extent, spacing: spacing)
        image.draw(anatomy)
        image.draw(PhantomVessels(anatomy, generator: &generator), hounsfield: 40)
        for (direction, diameter) in [
            (Point(1, 0.1, 0), 24), (Point(-1, -0.2, 0.1), 16), (Point(0.1, 1, 0.2), 12), (Point(0, -1, -0.1), 20),
        ] as [(Point, Double)] {
            let start = Point(direction.x < 0 ? -0.45 : 0.45, 0.05, 0) * scale
            var distance = 0.0
            while anatomy.lung(at: start + direction * distance) != nil { distance += 0.5 }
            image.draw(
                PhantomNodule(
                    center: start + direction * (distance - 0.3 * diameter), diameter: diameter, hounsfield: 30,
                    softness: 1, bumps: [], isAttachedToWall: true))
        }
        image.smooth()
        image.addNoise(deviation: noise, seed: seed, index: 0)
        let geometry = VolumeGeometry(extent: extent, spacing: spacing, origin: ZYX(-300, -170, -165))
        scan = Volume(geometry: geometry, voxels: image.voxels.map { Int16(max(-1024, min(3071, $0.rounded()))) })
        truth = Volume(geometry: geometry, voxels: image.labels)
        drawTable()
    }

    /// A shell around foam, below the back.
    private mutating func drawTable() {
        forEach { chest, index, p in
            let (across, down) = (abs(p.x), p.y - 0.75 - 0.08 * p.x * p.x)
            guard across < 0.62, 0..<0.09 ~= down else { return }
            let isShell = across > 0.605 || down < 0.016 || down > 0.074
            chest.scan.voxels[index] = isShell ? 120 : -890
        }
    }

    /// Calls `body` with the index and the place, in half widths from the middle, of every voxel.
    private mutating func forEach(_ body: (inout MadeChest, Int, SIMD3<Double>) -> Void) {
        let (extent, spacing) = (scan.extent, scan.geometry.spacing)
        let middle = extent.map { Double($0 - 1) / 2 }
        for z in 0..<extent.z {
            for y in 0..<extent.y {
                for x in 0..<extent.x {
                    let offset = (ZYX(z, y, x).map(Double.init) - middle) * spacing
                    let p = SIMD3(offset.x, offset.y, offset.z) / Self.halfWidth
                    body(&self, (z * extent.y + y) * extent.x + x, p)
                }
            }
        }
    }

    /// Lets the lungs touch in front of the heart, without a pleura that would show, over 50 mm of height.
    mutating func joinLungsInFront() {
        let width = scan.extent.x
        let plane = scan.extent.y * width
        let middle = scan.extent.z / 2
        let reach = Int(25 / scan.geometry.spacing.z)
        for z in middle - reach..<middle + reach {
            for y in 0..<scan.extent.y * 2 / 5 {
                let row = z * plane + y * width..<z * plane + (y + 1) * width
                let labels = truth.voxels[row]
                guard let right = labels.lastIndex(of: 4), let left = labels.firstIndex(of: 3), right < left,
                    Double(left - right) * scan.geometry.spacing.x < 40
                else { continue }
                for index in right + 1..<left {
                    scan.voxels[index] = scan.voxels[right - (index & 3)]
                    truth.voxels[index] = index % width < width / 2 ? 4 : 3
                }
            }
        }
    }

    /// Fills what lies beyond a disc around the middle of the slices.
    mutating func pad(with value: Int16, beyond radius: Double) {
        forEach { chest, index, p in
            guard p.x * p.x + p.y * p.y > radius * radius else { return }
            chest.scan.voxels[index] = value
            chest.truth.voxels[index] = 0
        }
    }

    /// Replaces a lung by what the lungs of the drowned show.
    mutating func flood(lung label: UInt8) {
        for index in scan.voxels.indices where truth.voxels[index] == label {
            scan.voxels[index] = 20
            truth.voxels[index] = 0
        }
    }

    /// Opens the trachea to the front, as an open mouth does, over so many of the topmost slices.
    mutating func openTrachea(slices: Int) {
        let first = scan.extent.z - slices
        let plane = scan.extent.y * scan.extent.x
        forEach { chest, index, p in
            guard index / plane >= first, abs(p.x) < 0.04, p.y < 0.08 else { return }
            chest.scan.voxels[index] = -1000
        }
    }

    /// Fills balls of so many mm around places, in half widths from the middle.
    mutating func addGas(_ balls: [(center: SIMD3<Double>, radius: Double)]) {
        forEach { chest, index, p in
            for ball in balls {
                let offset = (p - ball.center) * Self.halfWidth
                if (offset * offset).sum() < ball.radius * ball.radius { chest.scan.voxels[index] = -980 }
            }
        }
    }

    /// Keeps a part of the scan.
    mutating func crop(z: Range<Int>, y: Range<Int>, x: Range<Int>) {
        let old = scan.geometry
        var geometry = old
        geometry.extent = ZYX(z.count, y.count, x.count)
        geometry.origin = old.origin + ZYX(z.lowerBound, y.lowerBound, x.lowerBound).map(Double.init) * old.spacing
        func part<Voxel: VoxelScalar>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
            let rows = z.flatMap { z in
                y.flatMap { y in
                    let row = (z * old.extent.y + y) * old.extent.x
                    return volume.voxels[row + x.lowerBound..<row + x.upperBound]
                }
            }
            return Volume(geometry: geometry, voxels: rows)
        }
        (scan, truth) = (part(scan), part(truth))
    }

    /// Stores the slices from the head down, in the same world.
    mutating func reverseSlices() {
        let plane = scan.extent.y * scan.extent.x
        func reversed<Voxel: VoxelScalar>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
            var result = volume
            result.voxels = (0..<volume.extent.z).reversed().flatMap { volume.voxels[$0 * plane..<($0 + 1) * plane] }
            result.geometry.origin.z += Double(volume.extent.z - 1) * volume.geometry.spacing.z
            result.geometry.orientation = [1, 0, 0, 0, 1, 0, 0, 0, -1]
            return result
        }
        (scan, truth) = (reversed(scan), reversed(truth))
    }

    /// Stores rows and columns reversed, as in LUNA16's flipped scans, in the same world.
    mutating func reverseInPlane() {
        let plane = scan.extent.y * scan.extent.x
        func reversed<Voxel: VoxelScalar>(_ volume: Volume<Voxel>) -> Volume<Voxel> {
            var result = volume
            for start in stride(from: 0, to: volume.voxels.count, by: plane) {
                result.voxels[start..<start + plane].reverse()
            }
            result.geometry.origin.y += Double(volume.extent.y - 1) * volume.geometry.spacing.y
            result.geometry.origin.x += Double(volume.extent.x - 1) * volume.geometry.spacing.x
            result.geometry.orientation = VolumeGeometry.turned
            return result
        }
        (scan, truth) = (reversed(scan), reversed(truth))
    }

    /// Twice the voxels that both masks have, of all that they have (L. R. Dice 1945).
    func dice(_ mask: Volume<UInt8>, _ isCounted: (UInt8) -> Bool) -> Double {
        var (both, all) = (0, 0)
        for (a, b) in zip(mask.voxels, truth.voxels) {
            let (inMask, inTruth) = (isCounted(a), isCounted(b))
            both += inMask && inTruth ? 1 : 0
            all += (inMask ? 1 : 0) + (inTruth ? 1 : 0)
        }
        return 2 * Double(both) / Double(max(1, all))
    }
}
