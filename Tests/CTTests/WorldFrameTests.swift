import Basics
import CT
import Foundation
import Testing

@Suite struct WorldFrameTests {
    private static let upright = WorldFrame(
        origin: ZYX(-310.25, -150.5, 90.125), spacing: ZYX(2.5, 0.7, 0.703125), flipped: false,
        scanExtent: ZYX(130, 512, 500), cropStart: ZYX(11, 40, 52))
    private static let flipped = WorldFrame(
        origin: ZYX(-310.25, 150.5, 190.125), spacing: ZYX(1.25, 0.7, 0.703125), flipped: true,
        scanExtent: ZYX(260, 512, 500), cropStart: ZYX(0, 40, 52))

    @Test func formulaByHand() {
        // z: 310.25/2.5 = 124.1 voxels, y: 150.5/0.7 = 215, x: 90.125 mm below the origin.
        let voxel = Self.upright.cleanVoxel(WorldPoint(x: 160.4375, y: -3.5, z: -60.25))
        #expect(abs(voxel.z - (250 - 11)) < 1e-9)
        #expect(abs(voxel.y - (147 - 40)) < 1e-9)
        #expect(abs(voxel.x - (70.3125 - 52)) < 1e-9)
        let other = Self.flipped.cleanVoxel(WorldPoint(x: 190.125 - 70.3125, y: 150.5 - 147, z: -60.25))
        #expect(abs(other.z - 250) < 1e-9)
        #expect(abs(other.y - ((512 - 210) * 0.7 - 40)) < 1e-9)
        #expect(abs(other.x - ((500 - 100) * 0.703125 - 52)) < 1e-9)
    }

    @Test func bothWaysAreInverse() {
        var generator = CounterGenerator(seed: 1, purpose: "test")
        var mirrored = Self.upright
        mirrored.direction = ZYX(-1, 1, 1)
        for frame in [Self.upright, Self.flipped, mirrored] {
            for _ in 0..<200 {
                let voxel = ZYX(0, 1, 2).map { _ in generator.uniform(-20, 400) }
                let back = frame.cleanVoxel(frame.world(voxel))
                for axis in 0..<3 { #expect(abs(back[axis] - voxel[axis]) < 1e-9) }
                let point = WorldPoint(
                    x: generator.uniform(-500, 500), y: generator.uniform(-500, 500), z: generator.uniform(-500, 500))
                let again = frame.world(frame.cleanVoxel(point))
                #expect(abs(again.x - point.x) + abs(again.y - point.y) + abs(again.z - point.z) < 1e-9)
            }
        }
    }

    @Test func codesExactlyAndRefusesNonsense() throws {
        let data = try JSONEncoder().encode(Self.flipped)
        #expect(try JSONDecoder().decode(WorldFrame.self, from: data) == Self.flipped)
        let text = String(decoding: data, as: UTF8.self)
        for (good, bad) in [("[1,-1,-1]", "[1,0,-1]"), ("[1,-1,-1]", "[1,-1]"), ("[260,512,500]", "[260,-512,500]")] {
            #expect(text.contains(good))
            let spoilt = Data(text.replacing(good, with: bad).utf8)
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(WorldFrame.self, from: spoilt) }
        }
    }
}
