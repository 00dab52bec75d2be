import FileIO
import Foundation
import MPI

/// The memory of the hosts that a job runs on.
enum HostMemory {
    /// Bytes that this host could give to new work: what the kernel says is available, and what the control group allows
    /// (Slurm and Kubernetes limit jobs so). Nil where the system does not say.
    static var available: Int? {
        func number(_ path: String) -> Int? {
            (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        let lines = ((try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? "").split(separator: "\n")
        let kernel = lines.first { $0.hasPrefix("MemAvailable:") }
            .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) }.map { $0 << 10 }
        let group = ((try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? "")
            .split(separator: "\n").first { $0.hasPrefix("0::") }.map { "/sys/fs/cgroup" + $0.dropFirst(3) }
        let allowed = group.flatMap { path in
            number("\(path)/memory.max").flatMap { limit in
                number("\(path)/memory.current").map { max(0, limit - $0) }
            }
        }
        return [kernel, allowed].compactMap(\.self).min()
    }

    struct Host: Equatable {
        var name: String
        var ranks: Int
        /// Bytes.
        var available: Int
    }

    /// The hosts whose ranks together want more than is available there.
    ///
    /// - Parameter bytes: What each rank wants.
    /// - Throws: `MPIError`.
    static func shortages(_ bytes: Int, _ communicator: any Communicator) throws -> [Host] {
        // Before anybody takes any.
        let own = "\(communicator.hostName)\t\(available ?? Int.max)"
        let hosts = try communicator.gather(Array(own.utf8)).map {
            String(decoding: $0, as: UTF8.self).split(separator: "\t").map(String.init)
        }
        return Dictionary(grouping: hosts, by: { $0[0] }).sorted { $0.key < $1.key }.compactMap { name, ranks in
            let available = ranks.compactMap { Int($0[1]) }.min() ?? .max
            return available / ranks.count < bytes ? Host(name: name, ranks: ranks.count, available: available) : nil
        }
    }
}
