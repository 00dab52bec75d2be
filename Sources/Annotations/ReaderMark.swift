import CT

/// A nodule that one of a scan's readers marked.
struct ReaderMark {
    /// The number of readers who must have marked a nodule: LUNA16's three of four.
    static let requiredReaders = 3

    /// The reader's index.
    var reader: Int
    var nodule: NoduleAnnotation

    /// Joins the marks of the readers to nodules by LUNA16's rule: marks of two readers are one nodule where they are
    /// nearer to each other than the sum of their radii, and its place and diameter are the marks' means (A. Setio et
    /// al., Medical Image Analysis 2017).
    ///
    /// - Returns: The nodules that `requiredReaders` marked, in the order of their first marks.
    static func consensus(_ marks: [ReaderMark]) -> [NoduleAnnotation] {
        var group = Array(marks.indices)
        for (index, mark) in marks.enumerated() {
            for other in 0..<index where mark.isSame(as: marks[other]) && group[index] != group[other] {
                let (old, new) = (max(group[index], group[other]), min(group[index], group[other]))
                for member in group.indices where group[member] == old { group[member] = new }
            }
        }
        return marks.indices.filter { group[$0] == $0 }.compactMap { first in
            let members = marks.indices.filter { group[$0] == first }.map { marks[$0] }
            guard Set(members.map(\.reader)).count >= requiredReaders else { return nil }
            func mean(_ value: (NoduleAnnotation) -> Double) -> Double {
                members.reduce(0) { $0 + value($1.nodule) } / Double(members.count)
            }
            return NoduleAnnotation(
                center: WorldPoint(x: mean(\.center.x), y: mean(\.center.y), z: mean(\.center.z)),
                diameter: mean(\.diameter))
        }
    }

    private func isSame(as other: ReaderMark) -> Bool {
        let (a, b) = (nodule.center, other.nodule.center)
        let (dx, dy, dz) = (a.x - b.x, a.y - b.y, a.z - b.z)
        let distance = (dx * dx + dy * dy + dz * dz).squareRoot()
        return reader != other.reader && distance < (nodule.diameter + other.nodule.diameter) / 2
    }
}
