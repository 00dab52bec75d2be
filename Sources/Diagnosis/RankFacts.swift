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

/// What one rank knows of itself and its host.
public struct RankFacts: Hashable, Sendable, Codable {
    public var rank: Int
    public var host: String
    public var process: Int
    /// The version of luna, and the CRC-32 of its executable file: builds of one version may differ.
    public var version: String
    public var executable: UInt32?

    /// The processors (hardware threads) that this rank may run on.
    public var processors: NumberSet
    /// Their cores, each named by its first hardware thread.
    public var cores: NumberSet
    /// Their NUMA nodes.
    public var nodes: NumberSet
    /// How many processors of the host the job may use, bound or not.
    public var hostProcessors: Int
    public var processorModel: String
    /// Threads that compute.
    public var threads: Int
    public var quota: ControlGroup.Quota?

    /// Bytes that the host can give to new work, before the job takes any.
    public var memoryAvailable: Int?
    /// Bytes free in `/dev/shm`, by which ranks of one host talk.
    public var sharedMemoryFree: Int?

    /// The best that this processor has (`LUNA_ISA` may lower it).
    public var instructionSet: String
    public var openBLASCore: String
    /// Whether OpenBLAS took kernels of an older kind of processor.
    public var openBLASIsOutdated: Bool
    /// The variable `OPENBLAS_CORETYPE`, of the user or set by luna itself.
    public var openBLASCoreType: String?

    /// Nil where no launcher started this process.
    public var transport: MPITransport?
    /// InfiniBand and Omni-Path adapters.
    public var adapters: [String]
    public var hdf5: String

    public var measures = RankMeasures()
}

/// What `luna doctor` measures on each rank, all at the same time.
public struct RankMeasures: Hashable, Sendable, Codable {
    /// Of the data set as this rank sees it.
    public var dataDigest: String?
    /// The data set's file system.
    public var dataFileSystem: String?
    public var dataLocks: FileLocks?
    public var reading: ReadMeasurement?
    /// A training step of one replica on made data, s, and the most memory that the process had until its end, bytes.
    public var stepSeconds: Double?
    public var stepBytes: Int?
    /// Billions of operations a second of a thread in matrix products of OpenBLAS's.
    public var productSpeed: Double?
    /// One reduction of the gradient, s.
    public var reductionSeconds: Double?
    public var clock: ClockOffset?

    public init() {}
}

extension RankFacts {
    /// Finds out about this process.
    ///
    /// - Parameter threads: That will compute.
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
