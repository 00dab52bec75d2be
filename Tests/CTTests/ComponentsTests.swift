import Basics
import Testing

@testable import CT

/// Components and sets of voxels against what a plain array and a flood fill say.
@Suite struct ComponentsTests {
    struct Case: Sendable {
        var extent: ZYX<Int>
        var density: Double
    }
    static let cases = [
        Case(extent: ZYX(1, 1, 1), density: 1), Case(extent: ZYX(3, 4, 5), density: 0),
        Case(extent: ZYX(5, 6, 64), density: 0.2), Case(extent: ZYX(4, 7, 70), density: 0.3),
        Case(extent: ZYX(6, 5, 129), density: 0.5), Case(extent: ZYX(3, 9, 63), density: 0.9),
        Case(extent: ZYX(2, 3, 128), density: 1),
    ]

    /// Bits drawn at random, and the same as a plain array.
    private static func draw(_ theCase: Case, seed: UInt64 = 1) -> (BitVolume, [Bool]) {
        var generator = CounterGenerator(seed: seed, purpose: "components")
        let extent = theCase.extent
        var volume = BitVolume(extent: extent)
        let plain = (0..<extent.product).map { _ in generator.uniform() < theCase.density }
        for (index, isSet) in plain.enumerated() where isSet {
            let x = index % extent.x
            volume.set(z: index / extent.x / extent.y, y: index / extent.x % extent.y, x..<x + 1)
        }
        return (volume, plain)
    }

    private static func place(_ index: Int, _ extent: ZYX<Int>) -> ZYX<Int> {
        ZYX(index / extent.x / extent.y, index / extent.x % extent.y, index % extent.x)
    }

    private static func plain(_ volume: BitVolume) -> [Bool] {
        (0..<volume.extent.product).map {
            let p = place($0, volume.extent)
            return volume[p.z, p.y, p.x]
        }
    }

    /// Offsets to the neighbours that share a face, or a corner at least.
    private static func offsets(faces: Bool) -> [ZYX<Int>] {
        (0..<27).map { ZYX($0 / 9 - 1, $0 / 3 % 3 - 1, $0 % 3 - 1) }
            .filter { faces ? $0.map(abs).array.reduce(0, +) == 1 : $0 != ZYX(0, 0, 0) }
    }

    private static func neighbours(_ index: Int, _ extent: ZYX<Int>, _ offsets: [ZYX<Int>]) -> [Int] {
        offsets.map { place(index, extent) + $0 }
            .filter { p in (0..<3).allSatisfy { 0..<extent[$0] ~= p[$0] } }
            .map { ($0.z * extent.y + $0.y) * extent.x + $0.x }
    }

    private static func flood(_ isSet: [Bool], _ extent: ZYX<Int>, faces: Bool) -> [Int?] {
        let offsets = offsets(faces: faces)
        var labels = [Int?](repeating: nil, count: isSet.count)
        var count = 0
        for start in isSet.indices where isSet[start] && labels[start] == nil {
            var stack = [start]
            labels[start] = count
            while let index = stack.popLast() {
                for next in neighbours(index, extent, offsets) where isSet[next] && labels[next] == nil {
                    labels[next] = count
                    stack.append(next)
                }
            }
            count += 1
        }
        return labels
    }

    @Test(arguments: cases, [true, false])
    func labelsAsAFloodFillDoes(_ theCase: Case, _ faces: Bool) {
        let (volume, plain) = Self.draw(theCase)
        let extent = theCase.extent
        for inverted in [false, true] {
            let components = Components(of: volume, inverted: inverted, faces ? .faces : .corners)
            let expected = Self.flood(plain.map { $0 != inverted }, extent, faces: faces)
            let found = expected.indices.map { index -> Int? in
                let p = Self.place(index, extent)
                return components[p.z, p.y, p.x]
            }
            // Both number the components by their first voxels.
            #expect(found == expected)
            #expect(components.sizes == (0..<components.count).map { label in expected.count { $0 == label } })
            let sizes = components.bySize.map { components.sizes[$0] }
            #expect(sizes == sizes.sorted(by: >))
        }
    }

    @Test func slicesOutsideDoNotExist() {
        let (volume, plain) = Self.draw(Case(extent: ZYX(5, 6, 70), density: 0.35))
        let components = Components(of: volume, slices: 1..<3, .corners)
        let slab = Array(plain[420..<1260])
        let expected = Self.flood(slab, ZYX(2, 6, 70), faces: false)
        #expect((0..<840).map { components[1 + $0 / 420, $0 / 70 % 6, $0 % 70] } == expected)
        #expect(components[0, 0, 0] == nil && components[3, 0, 0] == nil)
        var kept = volume
        components.remove(from: &kept) { $0 == 2 }
        let left = Self.plain(kept)
        #expect(Array(left[420..<1260]) == expected.map { $0 == 2 })
        #expect(left[..<420] == plain[..<420] && left[1260...] == plain[1260...])
    }

    @Test(arguments: cases, [true, false])
    func stepsReachFaceNeighbours(_ theCase: Case, _ acrossSlices: Bool) {
        let (volume, plain) = Self.draw(theCase)
        let extent = theCase.extent
        let offsets = Self.offsets(faces: true).filter { acrossSlices || $0.z == 0 }
        let around = plain.indices.map { Self.neighbours($0, extent, offsets).map { plain[$0] } }
        var dilated = volume
        dilated.dilate(steps: 1, acrossSlices: acrossSlices)
        #expect(Self.plain(dilated) == plain.indices.map { plain[$0] || around[$0].contains(true) })
        var eroded = volume
        eroded.erode(acrossSlices: acrossSlices)
        #expect(Self.plain(eroded) == plain.indices.map { plain[$0] && !around[$0].contains(false) })
        #expect(eroded.words.allSatisfy { extent.x >= 64 || $0 < 1 << UInt64(extent.x) })
        for index in plain.indices {
            let p = Self.place(index, extent)
            let word = (p.z * extent.y + p.y) * volume.wordsPerRow + p.x / 64
            let isReached = volume.neighbours(ofWord: word, acrossSlices: acrossSlices) >> UInt64(p.x % 64) & 1 == 1
            #expect(isReached == around[index].contains(true))
        }
    }

    @Test(arguments: cases)
    func countsAndMeans(_ theCase: Case) throws {
        let (volume, plain) = Self.draw(theCase)
        let extent = theCase.extent
        let places = plain.indices.filter { plain[$0] }.map { Self.place($0, extent) }
        #expect(volume.count == places.count && volume.isEmpty == places.isEmpty)
        #expect(volume.columnCounts == (0..<extent.x).map { x in places.count { $0.x == x } })
        for z in 0..<extent.z { #expect(volume.isEmpty(slice: z) == !places.contains { $0.z == z }) }
        guard !places.isEmpty else { return #expect(volume.centroid == nil) }
        let centroid = try #require(volume.centroid)
        for axis in 0..<3 {
            let mean = places.reduce(0) { $0 + Double($1[axis]) } / Double(places.count)
            #expect(abs(centroid[axis] - mean) < 1e-9)
        }
    }

    @Test func setsCombine() {
        let theCase = Case(extent: ZYX(3, 5, 75), density: 0.4)
        let ((a, plainA), (b, plainB)) = (Self.draw(theCase), Self.draw(theCase, seed: 2))
        var (union, intersection, inverse, cleared, copied) = (a, a, a, a, a)
        union.formUnion(b)
        intersection.formIntersection(b)
        inverse.invert()
        #expect(Self.plain(union) == zip(plainA, plainB).map { $0 || $1 })
        #expect(Self.plain(intersection) == zip(plainA, plainB).map { $0 && $1 })
        #expect(Self.plain(inverse) == plainA.map { !$0 })
        #expect(inverse.count == plainA.count { !$0 })
        cleared.clear(z: 1, y: 2, 3..<70)
        cleared.clear(slice: 2)
        let row = (1 * 5 + 2) * 75
        #expect(
            Self.plain(cleared)
                == plainA.indices.map { plainA[$0] && !(row + 3..<row + 70 ~= $0) && $0 < 2 * 5 * 75 })
        copied.copy(slice: 1, from: b)
        #expect(Self.plain(copied) == plainA.indices.map { $0 / 375 == 1 ? plainB[$0] : plainA[$0] })
    }
}
