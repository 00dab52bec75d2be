import Compute
import FileIO
import MPI
import PatchData
import Runs

extension Trainer {
    /// What a trainer is made of.
    public struct Setting {
        public var configuration: TrainingConfiguration
        public var communicator: any Communicator
        public var source: any PatchSource
        /// The held-out fold's volumes, for evaluations on whole scans.
        public var heldOutVolumes: [PatchDataset.VolumeEntry]
        /// The data set's path, for messages; `dataDigest` tells whether all ranks see the same one.
        public var dataPath: String
        public var dataDigest: Digest
        public var engine: Engine
        /// What computes: the instruction set, on which the bits depend.
        public var arithmetic: String
        public var loaderThreads: Int
        public var run: RunDirectory
        public var resume: Bool
        /// Told on rank 0.
        public var report: (TrainingEvent) -> Void
        /// Where a timeline of all ranks is written at the end, whichever it is; nil: none is kept.
        public var timeline: String?
        /// Told of a stall, on the rank that notices it and a thread of its own.
        public var warnOfStall: @Sendable (String) -> Void = { _ in }
        /// Ends this process, and so the job, because of a stall; called as `warnOfStall`, when MPI may not be called.
        public var endStalled: @Sendable (String) -> Void = { _ in }

        public init(
            configuration: TrainingConfiguration, communicator: any Communicator, source: any PatchSource,
            heldOutVolumes: [PatchDataset.VolumeEntry] = [], dataPath: String, dataDigest: Digest, engine: Engine,
            arithmetic: String, loaderThreads: Int,
            run: RunDirectory, resume: Bool, report: @escaping (TrainingEvent) -> Void
        ) {
            self.configuration = configuration
            self.communicator = communicator
            self.source = source
            self.heldOutVolumes = heldOutVolumes
            self.dataPath = dataPath
            self.dataDigest = dataDigest
            self.engine = engine
            self.arithmetic = arithmetic
            self.loaderThreads = loaderThreads
            self.run = run
            self.resume = resume
            self.report = report
        }
    }
}
