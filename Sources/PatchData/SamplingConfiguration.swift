import Detection

extension Preset {
    /// The diameters in mm between which a nodule is so many times in an epoch's list.
    ///
    /// The published presets show large nodules more often, because cancer is large. The FROC counts all nodules alike,
    /// and small ones are hard: `luna` shows those below 8 mm twice.
    var copies: [(above: Double, count: Int)] {
        switch self {
        case .luna: [(2.5, 2), (8, 1)]
        case .luna16: [(2.5, 1), (10, 3), (20, 7)]
        case .dsb2017: [(6, 1), (30, 3), (40, 7)]
        }
    }

    /// The diameter in mm above which nodules are trained on.
    public var smallestDiameter: Double { copies[0].above }

    /// The number of times that a nodule of a diameter in mm is in an epoch's list.
    public func copies(diameter: Double) -> Int { copies.last { diameter > $0.above }?.count ?? 0 }

    /// The diameter in mm below which scaling shrinks no nodule.
    ///
    /// The published presets have 8 mm, so that smaller nodules are only ever enlarged. More than half of LUNA16's are
    /// smaller (the median is 6.4 mm): `luna` shrinks them, too, down to 4 mm.
    var smallestScaledDiameter: Double {
        switch self {
        case .luna: 4
        case .luna16, .dsb2017: 8
        }
    }

    /// The number of voxels along each axis of a crop.
    public var cropSize: Int {
        switch self {
        case .luna, .luna16: 96
        case .dsb2017: 128
        }
    }
}

/// The random changes that are made to the crops around nodules.
public struct Augmentation: Hashable, Sendable, Codable {
    /// Whether y and x are mirrored, each on the toss of a fair coin (never z: lungs have an up and a down).
    public var flip = true
    /// Whether the axes are permuted at random.
    public var swap = false
    /// Whether slices are turned by a random angle in their plane.
    public var rotate = false
    /// Whether crops are scaled by 0.75 to 1.25, less where the nodule would become smaller than the preset has it, or
    /// larger than 120 mm.
    public var scale = true

    /// Creates a choice of changes; by default the published one.
    public init(flip: Bool = true, swap: Bool = false, rotate: Bool = false, scale: Bool = true) {
        self.flip = flip
        self.swap = swap
        self.rotate = rotate
        self.scale = scale
    }
}

/// All that determines the samples of an experiment. Ranks and threads are not part of it.
public struct SamplingConfiguration: Hashable, Sendable {
    /// The constants: anchors, and how often nodules are shown.
    public var preset: Preset
    /// The recipe that makes the labels.
    public var recipe: RecipeName
    /// The number of voxels along each axis of a crop, a multiple of 16.
    public var cropSize: Int
    /// The experiment's seed.
    public var seed: UInt64
    /// The fold to leave out, or nil to train on everything.
    public var validationFold: Int?
    /// The number of replicas.
    public var replicas: Int
    /// The number of crops per replica and step.
    public var microBatch: Int
    /// The random changes of the crops.
    public var augmentation: Augmentation

    /// Creates a configuration of its parts.
    public init(
        preset: Preset, recipe: RecipeName = .published, cropSize: Int, seed: UInt64, validationFold: Int?,
        replicas: Int, microBatch: Int, augmentation: Augmentation
    ) {
        self.preset = preset
        self.recipe = recipe
        self.cropSize = cropSize
        self.seed = seed
        self.validationFold = validationFold
        self.replicas = replicas
        self.microBatch = microBatch
        self.augmentation = augmentation
    }
}
