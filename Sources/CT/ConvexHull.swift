/// The rows of a region's two-dimensional convex hull.
///
/// The definition is scikit-image's (`convex_hull_image`): a pixel stands for the middles of its four edges, and a
/// pixel is in the hull when its centre is, borders included. All numbers are whole: coordinates are doubled, so that
/// edge middles are even or odd.
struct ConvexHull {
    /// The columns that each row of the region spans; nil for a row without any.
    typealias Spans = [ClosedRange<Int>?]

    private struct Point {
        var row: Int
        var column: Int
    }

    /// The hull's spans by row, for the outermost pixels by row of a region.
    ///
    /// - Complexity: Linear in the number of rows.
    static func spans(of region: Spans) -> Spans {
        var left: [Point] = []
        var right: [Point] = []
        // Edge middles in doubled coordinates, ordered by row; of those on one row only the outermost count.
        func add(_ row: Int, _ low: Int, _ high: Int) {
            // The upper edge of one pixel row is the lower edge of the one before: merge.
            if let last = left.last, last.row == row {
                left[left.count - 1].column = min(last.column, low)
                right[right.count - 1].column = max(right[right.count - 1].column, high)
            } else {
                left.append(Point(row: row, column: low))
                right.append(Point(row: row, column: high))
            }
        }
        for (row, span) in region.enumerated() {
            guard let span else { continue }
            let (low, high) = (2 * span.lowerBound, 2 * span.upperBound)
            add(2 * row - 1, low, high)
            add(2 * row, low - 1, high + 1)
            add(2 * row + 1, low, high)
        }
        guard let first = left.first, let last = left.last else { return region }
        let lower = chain(left, sign: 1)
        let upper = chain(right, sign: -1)
        var result = Spans(repeating: nil, count: region.count)
        var (l, u) = (0, 0)
        for row in (first.row + 1) / 2...(last.row - 1) / 2 {
            while lower[l + 1].row < 2 * row { l += 1 }
            while upper[u + 1].row < 2 * row { u += 1 }
            let low = bound(lower[l], lower[l + 1], row: 2 * row, roundingUp: true)
            let high = bound(upper[u], upper[u + 1], row: 2 * row, roundingUp: false)
            result[row] = low <= high ? low...high : nil
        }
        return result
    }

    /// The convex chain of points ordered by row: the left one for `sign` 1, the right one for −1 (A. M. Andrew 1979).
    private static func chain(_ points: [Point], sign: Int) -> [Point] {
        var chain: [Point] = []
        for point in points {
            while chain.count >= 2 {
                let (a, b) = (chain[chain.count - 2], chain[chain.count - 1])
                let turn =
                    (b.row - a.row) * (point.column - a.column) - (point.row - a.row) * (b.column - a.column)
                guard turn * sign <= 0 else { break }
                chain.removeLast()
            }
            chain.append(point)
        }
        return chain
    }

    /// The undoubled column where the line from `a` to `b` meets a row, rounded into the hull.
    private static func bound(_ a: Point, _ b: Point, row: Int, roundingUp: Bool) -> Int {
        let height = 2 * (b.row - a.row)
        let value = a.column * (b.row - a.row) + (row - a.row) * (b.column - a.column)
        let quotient = value >= 0 ? value / height : -((-value + height - 1) / height)
        return roundingUp && quotient * height != value ? quotient + 1 : quotient
    }
}
