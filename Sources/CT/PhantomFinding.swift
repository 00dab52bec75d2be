/// The truth about one thing in a phantom of the hard style: a nodule, or a lure that a detector may take for one.
public struct PhantomFinding: Hashable, Sendable {
    /// The substance of a nodule, or the name of a lure.
    public enum Kind: String, CaseIterable, Sendable {
        /// A nodule of soft tissue.
        case solid
        /// A nodule of ground glass around a core of soft tissue.
        case partSolid = "part-solid"
        /// A nodule of −650 to −300 HU, through which vessels are seen.
        case groundGlass = "ground-glass"
        /// A lure: a solid nodule below 3 mm, which LUNA16 does not count.
        case micronodule
        /// A lure: a calcified ball.
        case granuloma
        /// A lure: a flat lens on a fissure, or an oval at the hilum.
        case lymphNode = "lymph-node"
        /// A lure: a plate or strand that reaches into the lung from the wall.
        case scar
        /// A lure: a flat thickening of the pleura.
        case plaque

        /// Whether a detector is asked to find it.
        public var isNodule: Bool { Self.nodules.contains(self) }

        /// The kinds of nodules.
        static let nodules: [Self] = [.solid, .partSolid, .groundGlass]
    }

    /// The outline of a nodule.
    public enum Margin: String, CaseIterable, Sendable {
        /// Nearly an ellipsoid.
        case smooth
        /// Bumps and dents.
        case lobulated
        /// Thin rays into the lung.
        case spiculated
    }

    /// The neighbourhood of a nodule.
    public enum Site: String, CaseIterable, Sendable {
        /// Lung all around, but for vessels that pass by chance.
        case free
        /// The pleura of the chest wall, the mediastinum or the diaphragm.
        case wall
        /// A fissure between two lobes.
        case fissure
        /// An artery, a vein or their branching.
        case vessel
    }

    /// The substance, or the lure's name.
    public var kind: Kind
    /// The outline.
    public var margin: Margin
    /// The neighbourhood.
    public var site: Site
    /// The middle, world mm.
    public var center: WorldPoint
    /// The diameter of the ball of the same volume, mm; of a flat thing its longest.
    public var diameter: Double

    /// Whether evaluation neither asks for it nor counts a mark on it: a ball below LUNA16's 3 mm.
    public var isExcluded: Bool { (kind == .micronodule || kind == .granuloma) && diameter < 3 }
}
