import Detection

extension Preset {
    /// The diameters in mm above which a nodule is more often in an epoch's list: once above the first, twice more
    /// above the second, four times more above the third.
    public var oversamplingLimits: [Double] {
        switch self {
        case .luna16: [2.5, 10, 20]
        case .dsb2017: [6, 30, 40]
        }
    }

    /// The number of voxels along each axis of a crop.
    public var cropSize: Int {
        switch self {
        case .luna16: 96
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
    /// Whether crops are scaled by 0.75 to 1.25, less where the nodule would become smaller than 8 mm or larger than
    /// 120 mm.
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
    /// The published constants: anchors and oversampling.
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
