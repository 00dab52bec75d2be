import Basics

/// A volume of bits, 64 voxels of a row to a word: masks at an eighth of a byte each, and whole rows at a time.
struct BitVolume {
    let extent: ZYX<Int>
    let wordsPerRow: Int
    var words: [UInt64]

    init(extent: ZYX<Int>) {
        self.extent = extent
        wordsPerRow = (extent.x + 63) / 64
        words = Array(repeating: 0, count: extent.z * extent.y * wordsPerRow)
    }

    subscript(z: Int, y: Int, x: Int) -> Bool {
        words[(z * extent.y + y) * wordsPerRow + x >> 6] >> UInt64(x & 63) & 1 == 1
    }

    /// Sets the voxels of a row in a range of x.
    mutating func set(z: Int, y: Int, _ range: Range<Int>) {
        let row = (z * extent.y + y) * wordsPerRow
        var x = range.lowerBound
        while x < range.upperBound {
            let end = min(range.upperBound, (x | 63) + 1)
            let bits: UInt64 = end - x == 64 ? ~0 : ((1 << UInt64(end - x)) &- 1) << UInt64(x & 63)
            words[row + x >> 6] |= bits
            x = end
        }
    }

    /// The bits of a row's last word that are voxels. The others stay 0: they would shift back in, and be counted.
    var tail: UInt64 { extent.x % 64 == 0 ? ~0 : (1 << UInt64(extent.x % 64)) &- 1 }

    /// Sets all voxels within so many steps, from face to face, of one that is set: as many binary dilations with the
    /// six-neighbour structuring element, or with its four neighbours in the slice where `acrossSlices` is false.
    mutating func dilate(steps: Int, acrossSlices: Bool = true) {
        let (depth, height, count) = (extent.z, extent.y, wordsPerRow)
        let plane = height * count
        let tail = tail
        var next = words
        for _ in 0..<steps {
            words.withUnsafeBufferPointer { old in
                next.withUnsafeMutableBufferPointer { new in
                    for z in 0..<depth {
                        for y in 0..<height {
                            let row = z * plane + y * count
                            for w in 0..<count {
                                let i = row + w
                                let word = old[i]
                                var sum = word | word << 1 | word >> 1
                                if w > 0 { sum |= old[i - 1] >> 63 }
                                if w + 1 < count { sum |= old[i + 1] << 63 }
                                if y > 0 { sum |= old[i - count] }
                                if y + 1 < height { sum |= old[i + count] }
                                if acrossSlices, z > 0 { sum |= old[i - plane] }
                                if acrossSlices, z + 1 < depth { sum |= old[i + plane] }
                                new[i] = w + 1 == count ? sum & tail : sum
                            }
                        }
                    }
                }
            }
            swap(&words, &next)
        }
    }
}
