/// The edges of two boxes along one axis: the part that both have, the length that holds both, and how they change with
/// the first box.
struct BoxEdges {
    /// The length that both boxes have; not positive where they have none.
    let shared: Double
    /// The derivative of `shared` with respect to the first box's centre.
    let sharedByCenter: Double
    /// The derivative of `shared` with respect to the first box's size.
    let sharedBySize: Double
    /// The length that holds both boxes.
    let enclosing: Double
    /// The derivative of `enclosing` with respect to the first box's centre.
    let enclosingByCenter: Double
    /// The derivative of `enclosing` with respect to the first box's size.
    let enclosingBySize: Double

    /// Compares two boxes by their centres and sizes along the axis.
    init(_ center: Double, _ size: Double, _ otherCenter: Double, _ otherSize: Double) {
        let (low, high) = (center - size / 2, center + size / 2)
        let (otherLow, otherHigh) = (otherCenter - otherSize / 2, otherCenter + otherSize / 2)
        shared = min(high, otherHigh) - max(low, otherLow)
        sharedByCenter = (high < otherHigh ? 1 : 0) - (low > otherLow ? 1 : 0)
        sharedBySize = ((high < otherHigh ? 1 : 0) + (low > otherLow ? 1 : 0)) / 2
        enclosing = max(high, otherHigh) - min(low, otherLow)
        enclosingByCenter = (high > otherHigh ? 1 : 0) - (low < otherLow ? 1 : 0)
        enclosingBySize = ((high > otherHigh ? 1 : 0) + (low < otherLow ? 1 : 0)) / 2
    }
}
