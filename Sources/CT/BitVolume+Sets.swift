import Basics

/// Bit volumes as sets of voxels.
extension BitVolume {
    var isEmpty: Bool { !words.contains { $0 != 0 } }

    /// The number of voxels set.
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Adds the voxels of another volume.
    ///
    /// - Precondition: The same extent.
    mutating func formUnion(_ other: BitVolume) { combine(other, |) }

    /// Keeps the voxels that another volume has, too.
    ///
    /// - Precondition: The same extent.
    mutating func formIntersection(_ other: BitVolume) { combine(other, &) }

    private mutating func combine(_ other: BitVolume, _ operation: (UInt64, UInt64) -> UInt64) {
        precondition(other.extent == extent, "sets of voxels in \(other.extent) and in \(extent)")
        words.withUnsafeMutableBufferPointer { mine in
            other.words.withUnsafeBufferPointer { theirs in
                for index in mine.indices { mine[index] = operation(mine[index], theirs[index]) }
            }
        }
    }

    /// Sets the voxels that are not set, and clears the others.
    mutating func invert() {
        let tail = tail
        for index in words.indices {
            words[index] = ~words[index] & ((index + 1) % wordsPerRow == 0 ? tail : ~0)
        }
    }

    /// Clears all voxels a step, from face to face, from one that is not set. What lies beyond the volume counts as
    /// set: a lung that the scan cuts off goes on there.
    mutating func erode(acrossSlices: Bool = true) {
        invert()
        dilate(steps: 1, acrossSlices: acrossSlices)
        invert()
    }

    /// Clears the voxels of a row in a range of x.
    mutating func clear(z: Int, y: Int, _ range: Range<Int>) {
        let row = (z * extent.y + y) * wordsPerRow
        var x = range.lowerBound
        while x < range.upperBound {
            let end = min(range.upperBound, (x | 63) + 1)
            let bits: UInt64 = end - x == 64 ? ~0 : ((1 << UInt64(end - x)) &- 1) << UInt64(x & 63)
            words[row + x >> 6] &= ~bits
            x = end
        }
    }

    func isEmpty(slice z: Int) -> Bool {
        let plane = extent.y * wordsPerRow
        return !words[z * plane..<(z + 1) * plane].contains { $0 != 0 }
    }

    mutating func clear(slice z: Int) {
        let plane = extent.y * wordsPerRow
        for index in z * plane..<(z + 1) * plane { words[index] = 0 }
    }

    /// Replaces a slice by another volume's.
    ///
    /// - Precondition: The same extent.
    mutating func copy(slice z: Int, from other: BitVolume) {
        precondition(other.extent == extent, "a slice of \(other.extent) for one of \(extent)")
        let plane = extent.y * wordsPerRow
        for index in z * plane..<(z + 1) * plane { words[index] = other.words[index] }
    }

    /// The voxels of one word that have a neighbour, from face to face, which is set.
    func neighbours(ofWord index: Int, acrossSlices: Bool) -> UInt64 {
        let word = words[index]
        let plane = extent.y * wordsPerRow
        let (row, column) = index.quotientAndRemainder(dividingBy: wordsPerRow)
        let y = row % extent.y
        var result = word << 1 | word >> 1
        if column > 0 { result |= words[index - 1] >> 63 }
        if column + 1 < wordsPerRow { result |= words[index + 1] << 63 }
        if y > 0 { result |= words[index - wordsPerRow] }
        if y + 1 < extent.y { result |= words[index + wordsPerRow] }
        if acrossSlices, index >= plane { result |= words[index - plane] }
        if acrossSlices, index + plane < words.count { result |= words[index + plane] }
        return result
    }

    /// The mean index along each axis of the voxels set; nil where none is.
    var centroid: ZYX<Double>? {
        var count = 0
        var sum = ZYX(0.0, 0.0, 0.0)
        for (index, word) in words.enumerated() where word != 0 {
            let (row, column) = index.quotientAndRemainder(dividingBy: wordsPerRow)
            let bits = word.nonzeroBitCount
            count += bits
            sum.z += Double(row / extent.y * bits)
            sum.y += Double(row % extent.y * bits)
            sum.x += Double(64 * column * bits + Self.sumOfPositions(word))
        }
        return count == 0 ? nil : sum.map { $0 / Double(count) }
    }

    /// The number of voxels set, by x.
    var columnCounts: [Int] {
        var counts = [Int](repeating: 0, count: extent.x)
        for (index, word) in words.enumerated() {
            var word = word
            while word != 0 {
                counts[64 * (index % wordsPerRow) + word.trailingZeroBitCount] += 1
                word &= word - 1
            }
        }
        return counts
    }

    /// The sum of the positions of a word's bits: digit by digit of the positions.
    static func sumOfPositions(_ word: UInt64) -> Int {
        (word & 0xAAAA_AAAA_AAAA_AAAA).nonzeroBitCount + 2 * (word & 0xCCCC_CCCC_CCCC_CCCC).nonzeroBitCount
            + 4 * (word & 0xF0F0_F0F0_F0F0_F0F0).nonzeroBitCount + 8 * (word & 0xFF00_FF00_FF00_FF00).nonzeroBitCount
            + 16 * (word & 0xFFFF_0000_FFFF_0000).nonzeroBitCount
            + 32 * (word & 0xFFFF_FFFF_0000_0000).nonzeroBitCount
    }
}
