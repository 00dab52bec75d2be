import FileIO
import Foundation
import TestSupport

/// A data set so small that it costs nothing: four phantoms, made and converted once for all tests, which only read it.
struct TinyData {
    /// The scans, in LUNA16's layout.
    let phantoms: String
    /// The data set that `luna convert` makes of them, for crops of 32 voxels.
    let patches: String

    static let shared = Result {
        let directory = try makeSharedDirectory()
        let data = TinyData(phantoms: "\(directory)/phantoms", patches: "\(directory)/dataset")
        for arguments in [
            ["phantom", "--output", data.phantoms, "--scans", "4", "--size", "64"],
            [
                "convert", "--input", data.phantoms, "--output", data.patches, "--crop-size", "32", "--jitter", "4",
                "--background-patches", "1",
            ],
        ] {
            let run = try luna(arguments)
            guard run.status == 0 else { throw InputError(directory, run.diagnosis) }
        }
        return data
    }

    /// The names of the scans of one fold.
    func scans(fold: Int) throws -> [String] {
        try FileContent.names(inDirectory: "\(phantoms)/subset\(fold)").filter { $0.hasSuffix(".mhd") }
            .map { String($0.dropLast(4)) }
    }

    /// Copies the patches and damages their shards from a third on, up to a fraction of each file.
    func copyPatches(to copy: String, damagedUpTo fraction: Double) throws {
        try FileManager.default.copyItem(atPath: patches, toPath: copy)
        for name in try FileContent.names(inDirectory: "\(copy)/shards") {
            var bytes = try FileContent.bytes("\(copy)/shards/\(name)")
            let end = Int(Double(bytes.count) * fraction)
            for place in stride(from: bytes.count / 3, to: end, by: 5000) { bytes[place] ^= 0x10 }
            try AtomicFile.write(bytes, to: "\(copy)/shards/\(name)")
        }
    }
}
