import Detection

extension Preset {
    /// A nodule is in the epoch's list once above the first limit, twice more above the second, four times more above
    /// the third; in mm.
    public var oversamplingLimits: [Double] {
        switch self {
        case .luna16: [2.5, 10, 20]
        case .dsb2017: [6, 30, 40]
        }
    }

    /// The crop's extent along each axis, in voxels.
    public var cropSize: Int {
        switch self {
        case .luna16: 96
        case .dsb2017: 128
        }
    }
}

/// Which random changes are made to the crops around nodules.
public struct Augmentation: Hashable, Sendable, Codable {
    /// Mirrors y and x, each on a fair coin (never z: lungs have an up and a down).
    public var flip = true
    /// Permutes the axes at random.
    public var swap = false
    /// Turns by a random angle in the plane of a slice.
    public var rotate = false
    /// Scales by 0.75 to 1.25, less where the nodule would become smaller than 8 mm or larger than 120 mm.
    public var scale = true

    public init(flip: Bool = true, swap: Bool = false, rotate: Bool = false, scale: Bool = true) {
        self.flip = flip
        self.swap = swap
        self.rotate = rotate
        self.scale = scale
    }
}

/// What determines the samples of an experiment. Ranks and threads are not part of it.
public struct SamplingConfiguration: Hashable, Sendable {
    public var preset: Preset
    /// What makes the labels.
    public var recipe: RecipeName
    /// Voxels along each axis, a multiple of 16.
    public var cropSize: Int
    public var seed: UInt64
    /// The fold to leave out, or nil to train on everything.
    public var validationFold: Int?
    public var replicas: Int
    /// Crops per replica and step.
    public var microBatch: Int
    public var augmentation: Augmentation

    public init(
        preset: Preset, recipe: RecipeName = .published, cropSize: Int, seed: UInt64, validationFold: Int?, replicas: Int, microBatch: Int,
        augmentation: Augmentation
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
