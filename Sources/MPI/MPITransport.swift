import COpenMPI

/// The MPI library in use, and the paths by which its messages go.
///
/// The components that Open MPI holds open after its start are known by their control variables (MPI_T, MPI-3.1 §14.3):
/// those it did not choose are closed, and their variables gone. Which of several byte layers serves a pair of ranks it
/// does not tell; it takes shared memory within a host, and the network with the highest exclusivity between hosts.
public struct MPITransport: Hashable, Sendable, Codable {
    /// The library's name and version, such as `Open MPI v4.1.4`.
    public var library: String
    /// The component that matches messages: `ob1`, `ucx`, `cm`; nil where it is not known.
    public var messaging: String?
    /// The byte layers below `ob1`, by name.
    public var layers: [String]
    /// The network interfaces that TCP uses.
    public var interfaces: [String]

    /// Makes a description from its parts.
    public init(library: String, messaging: String?, layers: [String], interfaces: [String] = []) {
        self.library = library
        self.messaging = messaging
        self.layers = layers
        self.interfaces = interfaces
    }

    /// Draws its conclusions from control variables.
    ///
    /// - Parameter variables: The names of all of them.
    init(library: String, variables: [String]) {
        func middle(_ name: String, _ prefix: String, _ suffix: String) -> String? {
            guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.count > prefix.count + suffix.count else {
                return nil
            }
            return String(name.dropFirst(prefix.count).dropLast(suffix.count))
        }
        self.library = library
        // `v` and `monitoring` watch another component's work.
        messaging = variables.compactMap { middle($0, "pml_", "_priority") }
            .first { !["base", "v", "monitoring"].contains($0) }
        layers = messaging == "ob1" ? variables.compactMap { middle($0, "btl_", "_exclusivity") }.sorted() : []
        // An interface with several connections has variables with a number, too: `btl_tcp_latency_eth0:0`.
        let links = variables.compactMap { middle($0, "btl_tcp_latency_", "") }.filter { !$0.contains(":") }
        interfaces = layers.contains("tcp") ? Set(links).sorted() : []
    }

    /// Describes the MPI of this process.
    ///
    /// - Precondition: MPI has started and not ended.
    public static func current() -> MPITransport { MPITransport(library: libraryVersion, variables: controlVariables) }

    /// The library's name and version, such as `Open MPI v4.1.4`, which may be asked for before MPI's start.
    public static var libraryVersion: String {
        var length: Int32 = 0
        let text = [CChar](unsafeUninitializedCapacity: Int(MPI_MAX_LIBRARY_VERSION_STRING)) { buffer, count in
            buffer.initialize(repeating: 0)
            if MPI_Get_library_version(buffer.baseAddress, &length) != MPI_SUCCESS { length = 0 }
            count = min(Int(length), buffer.count)
        }
        let whole = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return whole.split { $0 == "," || $0 == "\n" }.first.map(String.init) ?? "unknown MPI"
    }

    /// The names of the control variables of all open components.
    private static var controlVariables: [String] {
        var provided: Int32 = 0
        guard MPI_T_init_thread(Int32(MPI_THREAD_SINGLE), &provided) == MPI_SUCCESS else { return [] }
        defer { MPI_T_finalize() }
        var count: Int32 = 0
        guard MPI_T_cvar_get_num(&count) == MPI_SUCCESS else { return [] }
        return (0..<count).compactMap { index in
            var name = [CChar](repeating: 0, count: 256)
            var length = Int32(name.count)
            var (verbosity, binding, scope): (Int32, Int32, Int32) = (0, 0, 0)
            // Fails for those whose component is closed.
            guard
                MPI_T_cvar_get_info(
                    index, &name, &length, &verbosity, nil, nil, nil, nil, &binding, &scope) == MPI_SUCCESS
            else { return nil }
            return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// The path of messages between ranks of one host, in words; nil where it is not known.
    public var withinHost: String? {
        switch messaging {
        case "ob1": layers.first { ["vader", "sm"].contains($0) }.map { "shared memory (\($0))" } ?? betweenHosts
        case "ucx": "UCX"
        case "cm": "a matching network (MTL)"
        default: nil
        }
    }

    /// The path of messages between hosts, in words; nil where it is not known.
    public var betweenHosts: String? {
        switch messaging {
        case "ob1":
            layers.first { !["self", "sm", "vader", "tcp"].contains($0) }
                ?? (layers.contains("tcp")
                    ? "TCP" + (interfaces.isEmpty ? "" : " (\(interfaces.joined(separator: ", ")))") : nil)
        case "ucx": "UCX"
        case "cm": "a matching network (MTL)"
        default: nil
        }
    }
}
