/// What a training run will need.
public struct RunPlan: Hashable, Sendable, Codable {
    public var replicas: Int
    public var microBatch: Int
    /// Voxels along each axis of a crop.
    public var cropSize: Int
    /// How gradients are summed: `tree` or `allreduce`.
    public var reduction: String
    /// Why these ranks cannot share these replicas, where they cannot.
    public var refusal: String?
    /// Bytes that a rank will have resident at most.
    public var memory: Int
    /// Whether a step was measured for it; otherwise it comes from a formula.
    public var memoryIsMeasured = false
    /// Bytes of a checkpoint, and how many there will be at once.
    public var checkpointBytes: Int
    public var checkpoints: Int
    /// Bytes that are read for one crop, on average; nil without a data set.
    public var bytesPerCrop: Double?
    /// Bytes that every rank contributes to a reduction.
    public var reductionBytes: Int
    /// Steps between two reductions over all ranks: with local steps, those of a round.
    public var stepsPerReduction = 1

    public init(
        replicas: Int, microBatch: Int, cropSize: Int, reduction: String, refusal: String? = nil, memory: Int,
        checkpointBytes: Int,
        checkpoints: Int, bytesPerCrop: Double? = nil, reductionBytes: Int
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

/// Where a run will write.
public struct RunPlace: Hashable, Sendable, Codable {
    /// The run's directory, or the nearest one above it that exists.
    public var directory: String
    public var fileSystem: String?
    public var freeBytes: Int?
    /// Why an HDF5 file could not be written there and read again, where it could not.
    public var refusal: String?

    public init(directory: String, fileSystem: String? = nil, freeBytes: Int? = nil, refusal: String? = nil) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.freeBytes = freeBytes
        self.refusal = refusal
    }

    /// Tries it out.
    public init(trying path: String) {
        let directory = FileSystem.nearestDirectory(path)
        var refusal: String?
        do { try FileSystem.tryHDF5(in: directory) } catch { refusal = "\(error)" }
        self.init(
            directory: directory, fileSystem: FileSystem.kind(directory), freeBytes: FileSystem.freeBytes(directory),
            refusal: refusal)
    }
}
