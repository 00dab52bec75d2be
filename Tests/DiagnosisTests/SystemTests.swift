import Basics
import FileIO
import Foundation
import TestSupport
import Testing

@testable import Diagnosis

/// The facts that are read from the system, from made files where they decide.
@Suite struct SystemTests {
    private func write(_ files: [String: String], in directory: String) throws {
        for (path, text) in files {
            let whole = "\(directory)/\(path)"
            try FileContent.makeDirectory(Path.directory(of: whole))
            try AtomicFile.write(text + "\n", to: whole)
        }
    }

    @Test func numberSets() throws {
        let set = try #require(NumberSet("0-3,8, 10-11"))
        #expect(set.numbers == [0, 1, 2, 3, 8, 10, 11] && "\(set)" == "0-3,8,10-11")
        #expect(NumberSet("")?.isEmpty == true && NumberSet([3, 1, 3]).description == "1,3")
        for wrong in ["a", "3-1", "-1", "1-2-3", "0-99999999999", "1,,x"] {
            #expect(NumberSet(wrong) == nil, "\(wrong)")
        }
        #expect(NumberSet((0..<40).map { 2 * $0 }).summary == "40 of 0-78")
        #expect(try JSONDecoder().decode(NumberSet.self, from: JSONEncoder().encode(set)) == set)
    }

    /// Two nodes of two cores with two hardware threads each.
    @Test func topology() throws {
        try withTemporaryDirectory { root in
            var files = [
                "cpu/online": "0-7", "node/online": "0-1", "node/node0/cpulist": "0-1,4-5",
                "node/node1/cpulist": "2-3,6-7",
            ]
            for processor in 0..<8 {
                files["cpu/cpu\(processor)/topology/thread_siblings_list"] = "\(processor % 4),\(processor % 4 + 4)"
            }
            try write(files, in: root)
            let topology = Topology(root: root)
            #expect(topology.online == NumberSet(0...7))
            #expect(topology.cores(of: NumberSet([1, 5, 6])) == NumberSet([1, 2]))
            #expect(topology.nodes(of: NumberSet([0, 5])) == NumberSet([0]))
            #expect(topology.nodes(of: NumberSet([0, 6])) == NumberSet([0, 1]))
            let nothing = Topology(root: "\(root)/none")
            #expect(nothing.online == nil && nothing.cores(of: NumberSet([7])) == NumberSet([7]))
            #expect(nothing.nodes(of: NumberSet([7])).isEmpty)
        }
    }

    @Test func controlGroups() throws {
        try withTemporaryDirectory { root in
            try write(
                [
                    "job/cpu.max": "400000 100000", "job/task/cpu.max": "max 100000",
                    "job/cpuset.cpus.effective": "4-7", "cpu/pod/cpu.cfs_quota_us": "150000",
                    "cpu/pod/cpu.cfs_period_us": "100000", "cpu/cpu.cfs_quota_us": "-1",
                    "cpu/cpu.cfs_period_us": "100000", "cpuset/cpuset.cpus": "0-3",
                ], in: root)
            let two = ControlGroup(root: root, membership: "0::/job/task\n")
            #expect(two.quota == ControlGroup.Quota(processors: 4, group: "/job"))
            #expect(two.processors == NumberSet(4...7))
            let one = ControlGroup(root: root, membership: "5:cpu,cpuacct:/pod\n3:cpuset:/host/only\n")
            #expect(one.quota == ControlGroup.Quota(processors: 1.5, group: "/pod"))
            #expect(one.processors == NumberSet(0...3))
            let none = ControlGroup(root: root, membership: "")
            #expect(none.quota == nil && none.processors == nil)
        }
    }

    @Test func memoryOfGroups() throws {
        try withTemporaryDirectory { root in
            try write(
                [
                    "job/memory.max": "1000", "job/memory.current": "700",
                    "job/memory.stat": "anon 500\ninactive_file 200",
                    "job/task/memory.max": "max", "job/task/memory.current": "100",
                ], in: root)
            #expect(HostMemory.roomInGroup("/job/task", below: root) == 500)
            #expect(HostMemory.roomInGroup("/other", below: root) == nil)
        }
    }

    @Test func fileSystems() {
        let mounts = """
            22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            30 22 0:25 / /data rw - nfs4 server:/data rw
            31 22 0:26 / /data rw shared:2 master:3 - lustre server:/data rw
            32 22 0:27 / /my\\040scans rw - xfs /dev/vdb rw
            """
        #expect(FileSystem.kind("/data/luna16", mounts: mounts) == "lustre")
        #expect(FileSystem.kind("/database", mounts: mounts) == "ext4")
        #expect(FileSystem.kind("/my scans", mounts: mounts) == "xfs")
        #expect(FileSystem.kind("/data", mounts: "nonsense") == nil)
    }

    @Test func tryingAFileSystem() throws {
        try withTemporaryDirectory { directory in
            let place = RunPlace(trying: "\(directory)/runs/new/")
            #expect(place.directory == directory && place.refusal == nil && place.freeBytes ?? 0 > 0)
            #expect(try FileContent.names(inDirectory: directory) == [])
            try AtomicFile.write([UInt8](repeating: 7, count: 5 << 20), to: "\(directory)/file")
            #expect(FileLocks(of: "\(directory)/file") == FileLocks())
            #expect(FileLocks(of: "\(directory)/none") == nil)
            let alone = try ReadMeasurement(files: ["\(directory)/file"], rank: 0, of: 1, time: 100)
            #expect(alone.bytes == 5 << 20 && alone.speed > 0)
            let shared = try ReadMeasurement(files: ["\(directory)/file"], rank: 1, of: 2, time: 100)
            #expect(shared.bytes == 2 << 20)
            #expect(throws: FileError.self) { try FileSystem.tryHDF5(in: "\(directory)/none") }
        }
    }
}
