/// The needs of a training run.
public struct RunPlan: Hashable, Sendable, Codable {
    /// The number of replicas.
    public var replicas: Int
    /// The number of crops per replica and step.
    public var microBatch: Int
    /// The number of voxels along each axis of a crop.
    public var cropSize: Int
    /// The way gradients are summed: `tree` or `allreduce`.
    public var reduction: String
    /// The reason why these ranks cannot share these replicas; nil where they can.
    public var refusal: String?
    /// The bytes that a rank will have resident at most.
    public var memory: Int
    /// Whether a step was measured for `memory`; otherwise it comes from a formula.
    public var memoryIsMeasured = false
    /// The size of a checkpoint in bytes.
    public var checkpointBytes: Int
    /// The number of checkpoints that there will be at once.
    public var checkpoints: Int
    /// The bytes that are read for one crop, on average; nil without a data set.
    public var bytesPerCrop: Double?
    /// The bytes that every rank contributes to a reduction.
    public var reductionBytes: Int
    /// The number of steps of the whole run; nil without a data set.
    public var steps: Int?
    /// The number of steps between two reductions over all ranks: with local steps, those of a round.
    public var stepsPerReduction = 1

    /// Creates a plan of its parts.
    public init(
        replicas: Int, microBatch: Int, cropSize: Int, reduction: String, refusal: String? = nil, memory: Int,
        checkpointBytes: Int, checkpoints: Int, bytesPerCrop: Double? = nil, reductionBytes: Int
    ) {
        self.replicas = replicas
        self.microBatch = microBatch
        self.cropSize = cropSize
        self.reduction = reduction
        self.refusal = refusal
        self.memory = memory
        self.checkpointBytes = checkpointBytes
        self.checkpoints = checkpoints
        self.bytesPerCrop = bytesPerCrop
        self.reductionBytes = reductionBytes
    }
}

/// The place that a run will write to.
public struct RunPlace: Hashable, Sendable, Codable {
    /// The run's directory, or the nearest one above it that exists.
    public var directory: String
    /// The kind of its file system; nil where the system does not say.
    public var fileSystem: String?
    /// The number of bytes that a user may still write there.
    public var freeBytes: Int?
    /// The reason why an HDF5 file could not be written there and read again; nil where it could.
    public var refusal: String?

    /// Creates a place of its parts.
    public init(directory: String, fileSystem: String? = nil, freeBytes: Int? = nil, refusal: String? = nil) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.freeBytes = freeBytes
        self.refusal = refusal
    }

    /// Examines the directory of a run, or the nearest one above it that exists, and writes a small file there.
    public init(trying path: String) {
        let directory = FileSystem.nearestDirectory(path)
        var refusal: String?
        do { try FileSystem.tryHDF5(in: directory) } catch { refusal = "\(error)" }
        self.init(
            directory: directory, fileSystem: FileSystem.kind(directory), freeBytes: FileSystem.freeBytes(directory),
            refusal: refusal)
    }
}
