// What must be the same on all ranks, and by what they talk.

import MPI

extension Survey {
    var samenessFindings: [Finding] {
        let builds = Set(ranks.compactMap(\.executable)).count > 1
        return difference(
            .problem, "luna", "the ranks run different programs", remedy: "install the same luna on all hosts"
        ) { facts in
            let build = builds ? facts.executable.map { ", build " + String($0, radix: 16) } ?? "" : ""
            return "luna \(facts.version)\(build)"
        }
            + difference(
                .problem, "MPI", "the ranks have different MPI libraries",
                remedy: "install the same Open MPI on all hosts, or use one container image"
            ) { $0.transport?.library }
            + difference(
                .warning, "HDF5", "the ranks have different HDF5 libraries", remedy: "install the same on all hosts"
            ) { $0.hdf5 }
            + difference(
                .problem, "data", "the ranks see different data sets",
                remedy: "copy the same one to all hosts, or use a shared file system"
            ) { facts in facts.measures.dataDigest.map { "data set \($0)" } }
            + difference(
                .note, "hosts", "the processors differ", remedy: "the slowest sets the pace; start fewer ranks there"
            ) { $0.processorModel }
    }

    var arithmeticFindings: [Finding] {
        var found: [Observation] = []
        for facts in ranks where facts.openBLASIsOutdated {
            let isChosen = facts.openBLASCoreType != nil
            let better = facts.instructionSet == "avx512" ? "SKYLAKEX" : "HASWELL"
            found.append(
                Observation(
                    severity: .warning, subject: "OpenBLAS",
                    what: "kernels of an old processor (\(facts.openBLASCore)) on one with \(facts.instructionSet)",
                    remedy: isChosen
                        ? "unset OPENBLAS_CORETYPE, or set it to \(better)"
                        : "set OPENBLAS_CORETYPE=\(better) (mpirun -x OPENBLAS_CORETYPE=\(better) …)",
                    ranks: [facts.rank]))
        }
        return merged(found)
            + difference(
                .warning, "instructions", "all ranks compute with the lowest of different instruction sets",
                remedy: "leave the older hosts out, or accept their pace"
            ) { $0.instructionSet }
    }

    var transportFindings: [Finding] {
        let hosts = hosts
        var found: [Observation] = []
        for (_, members) in hosts where members.count > 1 {
            guard let transport = members[0].transport else { continue }
            if transport.messaging == "ob1", !transport.layers.contains(where: { ["vader", "sm"].contains($0) }) {
                found.append(
                    Observation(
                        severity: .warning, subject: "transport",
                        what: "they talk over the network though they share memory "
                            + "(layers: \(transport.layers.joined(separator: ", ")))",
                        remedy: "add vader to the parameter btl, or leave it unset", ranks: members.map(\.rank)))
            }
            // Each rank's segment has 4 MiB, and larger messages go through more of it.
            if let free = members[0].sharedMemoryFree, transport.withinHost?.hasPrefix("shared memory") == true,
                free < members.count << 23
            {
                found.append(
                    Observation(
                        severity: .warning, subject: "transport",
                        what: "\(mebibytes(free)) free in /dev/shm for \(members.count) ranks",
                        remedy: "raise it to \(mebibytes(members.count << 23)) (Docker: --shm-size; Kubernetes: an "
                            + "emptyDir with medium Memory)", ranks: members.map(\.rank)))
            }
        }
        if hosts.count > 1 {
            for facts in ranks where !facts.adapters.isEmpty && facts.transport?.betweenHosts?.hasPrefix("TCP") == true
            {
                found.append(
                    Observation(
                        severity: .warning, subject: "transport",
                        what: "messages between hosts go over TCP, though there is "
                            + facts.adapters.joined(separator: ", "),
                        remedy: "mpirun --mca pml ucx (Debian's openmpi-mca-params.conf turns it off)",
                        ranks: [facts.rank]))
            }
        }
        return merged(found)
    }
}
