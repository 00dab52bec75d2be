import Basics
import Compute
import FileIO
import HDF5
import MPI

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The facts that one rank knows of itself and its host.
public struct RankFacts: Hashable, Sendable, Codable {
    /// The rank's number.
    public var rank: Int
    /// The host's name.
    public var host: String
    /// The process's number on its host.
    public var process: Int
    /// The version of luna.
    public var version: String
    /// The CRC-32 of luna's executable file: builds of one version may differ. Nil where it cannot be read.
    public var executable: UInt32?

    /// The processors (hardware threads) that this rank may run on.
    public var processors: NumberSet
    /// The cores of its processors, each named by its first hardware thread.
    public var cores: NumberSet
    /// The NUMA nodes of its processors.
    public var nodes: NumberSet
    /// The number of the host's processors that the job may use, bound or not.
    public var hostProcessors: Int
    /// The processor's model, as the kernel names it.
    public var processorModel: String
    /// The number of threads that compute.
    public var threads: Int
    /// The limit on processor time; nil where there is none.
    public var quota: ControlGroup.Quota?

    /// The bytes that the host can give to new work, before the job takes any.
    public var memoryAvailable: Int?
    /// The bytes that are free in `/dev/shm`, by which ranks of one host talk.
    public var sharedMemoryFree: Int?

    /// The best instruction set that this processor has (`LUNA_ISA` may lower it).
    public var instructionSet: String
    /// The kind of processor whose kernels OpenBLAS has chosen.
    public var openBLASCore: String
    /// Whether OpenBLAS took the kernels of an older kind of processor.
    public var openBLASIsOutdated: Bool
    /// The value of the variable `OPENBLAS_CORETYPE`, set by the user or by luna itself.
    public var openBLASCoreType: String?

    /// The ways that messages take; nil where no launcher started this process.
    public var transport: MPITransport?
    /// The InfiniBand and Omni-Path adapters.
    public var adapters: [String]
    /// The version of the HDF5 library.
    public var hdf5: String

    /// The measurements of `luna doctor`, which are empty elsewhere.
    public var measures = RankMeasures()
}

/// The measurements that `luna doctor` makes on each rank, on all at the same time.
public struct RankMeasures: Hashable, Sendable, Codable {
    /// The digest of the data set as this rank sees it.
    public var dataDigest: String?
    /// The data set's file system.
    public var dataFileSystem: String?
    /// The answers of the data set's file system to requests for locks.
    public var dataLocks: FileLocks?
    /// The speed of reading this rank's part of the data set.
    public var reading: ReadMeasurement?
    /// The time in s of a training step of one replica on made data.
    public var stepSeconds: Double?
    /// The most memory in bytes that the process had until the end of that step.
    public var stepBytes: Int?
    /// The speed of a thread in OpenBLAS's matrix products, in billions of operations per second.
    public var productSpeed: Double?
    /// The time of one reduction of the gradient, in s.
    public var reductionSeconds: Double?
    /// The difference between this host's clock and rank 0's.
    public var clock: ClockOffset?

    /// Creates measurements of which none was made.
    public init() {}
}

extension RankFacts {
    /// The facts about this process and its host.
    ///
    /// - Parameters:
    ///   - communicator: All ranks.
    ///   - threads: The number of threads that will compute.
    ///   - version: The version of luna.
    public static func local(_ communicator: any Communicator, threads: Int, version: String) -> RankFacts {
        let topology = Topology()
        let group = ControlGroup()
        let allowed = SystemFile.value("Cpus_allowed_list", in: "/proc/self/status").flatMap(NumberSet.init)
        let processors = allowed ?? NumberSet(0..<ThreadPool.availableCores)
        let usable = group.processors ?? topology.online
        return RankFacts(
            rank: communicator.rank, host: communicator.hostName, process: Int(getpid()), version: version,
            executable: try? FileContent.crc32("/proc/self/exe"), processors: processors,
            cores: topology.cores(of: processors), nodes: topology.nodes(of: processors),
            hostProcessors: max(usable?.count ?? 0, processors.count),
            processorModel: SystemFile.value("model name", in: "/proc/cpuinfo") ?? "unknown", threads: threads,
            quota: group.quota, memoryAvailable: HostMemory.available,
            sharedMemoryFree: FileSystem.freeBytes("/dev/shm"), instructionSet: "\(InstructionSet.best)",
            openBLASCore: OpenBLAS.coreName,
            openBLASIsOutdated: OpenBLAS.isOutdated(core: OpenBLAS.coreName, on: .best),
            openBLASCoreType: getenv("OPENBLAS_CORETYPE").map { String(cString: $0) },
            transport: MPICommunicator.isLaunched ? .current() : nil,
            adapters: ["infiniband", "hfi1"].flatMap {
                (try? FileContent.names(inDirectory: "/sys/class/\($0)")) ?? []
            },
            hdf5: HDF5Library.version)
    }
}
