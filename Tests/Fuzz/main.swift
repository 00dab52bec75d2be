// The fuzzer: libFuzzer's loop round one of FuzzTargets. Built and run by scripts/fuzz.
//
//     LUNA_FUZZ_TARGET=shard Fuzz [libFuzzer's options] CORPUS
//     Fuzz --seeds DIR        writes every target's seeds and dictionary
//     Fuzz --targets          lists the targets

import FileIO
import Foundation
import FuzzTargets

typealias OneInput = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>, _ oneInput: OneInput
) -> CInt

/// Takes the place of libhdf5's own function, which compares the sums that guard the blocks of a file's metadata. With
/// `LUNA_FUZZ_FORGED` set every sum is right, as in files that someone forged: else the fuzzer hardly comes behind
/// them.
@_cdecl("H5F_get_checksums")
public func equalChecksums(
    _ block: UnsafePointer<UInt8>, _ size: Int, _ stored: UnsafeMutablePointer<UInt32>?,
    _ computed: UnsafeMutablePointer<UInt32>?
) -> CInt {
    let guarded = max(0, size - 4)
    let sum = (guarded..<size).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(block[$1]) }
    stored?.pointee = sum
    computed?.pointee = forgesSums ? sum : checksum(block, guarded, 0)
    return 0
}

@_silgen_name("H5_checksum_metadata")
func checksum(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ start: UInt32) -> UInt32

private let forgesSums = ProcessInfo.processInfo.environment["LUNA_FUZZ_FORGED"] != nil

private let target = FuzzTarget.all.first { $0.name == ProcessInfo.processInfo.environment["LUNA_FUZZ_TARGET"] }

/// A process's own, since forked ones run beside one another; the script says where, and removes it.
private let directory =
    "\(ProcessInfo.processInfo.environment["LUNA_FUZZ_DIRECTORY"] ?? NSTemporaryDirectory())/luna-fuzz-\(getpid())"

@_cdecl("LLVMFuzzerTestOneInput")
public func oneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target?.run(UnsafeRawBufferPointer(start: bytes, count: count), in: directory)
    } catch {
        fatalError("an error that names no file: \(error)")
    }
    return 0
}

private func writeSeeds(_ root: String) throws {
    for target in FuzzTarget.all {
        let corpus = "\(root)/\(target.name)"
        try FileContent.makeDirectory(corpus)
        for (index, seed) in try target.seeds(in: directory).enumerated() {
            try AtomicFile.write(seed, to: "\(corpus)/seed-\(index)")
        }
        let lines = target.words.map { word in
            "\"" + word.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\"\n"
        }
        try AtomicFile.write(lines.joined(), to: "\(root)/\(target.name).dictionary")
    }
}

try FileContent.makeDirectory(directory)
let arguments = CommandLine.arguments
if arguments.count == 3, arguments[1] == "--seeds" {
    try writeSeeds(arguments[2])
    try FileManager.default.removeItem(atPath: directory)
} else if arguments.count == 2, arguments[1] == "--targets" {
    for target in FuzzTarget.all { print(target.name) }
    try FileManager.default.removeItem(atPath: directory)
} else if target == nil {
    print("LUNA_FUZZ_TARGET names none of \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    exit(64)
} else {
    var count = CommandLine.argc
    var values = CommandLine.unsafeArgv
    exit(runDriver(&count, &values, oneInput))
}
