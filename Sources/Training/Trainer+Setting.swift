import Compute
import FileIO
import MPI
import PatchData
import Runs

extension Trainer {
    /// The parts that a trainer is made of.
    public struct Setting {
        /// The configuration of the run.
        public var configuration: TrainingConfiguration
        /// The ranks of the job.
        public var communicator: any Communicator
        /// The crops to train on.
        public var source: any PatchSource
        /// The held-out fold's volumes, for evaluations on whole scans.
        public var heldOutVolumes: [PatchDataset.VolumeEntry]
        /// The data set's path, for messages only: `dataDigest` tells whether all ranks see the same one.
        public var dataPath: String
        /// The digest of the data set.
        public var dataDigest: Digest
        /// The engine that computes the network.
        public var engine: Engine
        /// The name of the instruction set, on which the bits depend.
        public var arithmetic: String
        /// The number of threads that prepare crops.
        public var loaderThreads: Int
        /// The directory that the run leaves its files in.
        public var run: RunDirectory
        /// Whether to go on from the newest checkpoint, if there is one.
        public var resume: Bool
        /// A function that receives the events of the run, on rank 0.
        public var report: (TrainingEvent) -> Void
        /// The path of the timeline of all ranks, which is written however the run ends; nil: none is kept.
        public var timeline: String?
        /// A function that is told of a stall, on the rank that notices it and on a thread of its own.
        public var warnOfStall: @Sendable (String) -> Void = { _ in }
        /// A function that ends this process, and so the job, because of a stall. It is called like `warnOfStall`, when
        /// MPI must not be called.
        public var endStalled: @Sendable (String) -> Void = { _ in }

        /// Gathers the parts; the timeline and the functions for stalls are set afterwards.
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
