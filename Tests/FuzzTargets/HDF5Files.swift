import Basics
import CT
import FileIO
import HDF5
import Networks
import PatchData
import Training

extension FuzzTarget {
    static let volume = FuzzTarget(
        name: "volume", file: "volume.h5", words: words,
        seed: { directory in
            let path = "\(directory)/seed.h5"
            return try [0, 2].map { count in
                let extent = ZYX(3, 4, 5)
                let volume = CleanVolume(
                    seriesUID: "1.2.3", extent: extent, voxels: (0..<extent.product).map { UInt8(100 + $0) },
                    frame: WorldFrame(
                        origin: ZYX(-100.5, 20.25, 3), spacing: ZYX(2.5, 0.7, 0.7), flipped: true,
                        scanExtent: ZYX(20, 90, 91), cropStart: ZYX(1, 2, 3)),
                    nodules: (0..<count).map { Nodule(center: ZYX(Double($0), 1, 2), diameter: 4) },
                    outsideLabels: [NoduleAnnotation(center: WorldPoint(x: 1, y: 2, z: 3), diameter: 4.5)])
                try CleanVolumeFile.write(volume, to: path)
                return try FileContent.bytes(path)
            }
        },
        read: { path in
            try attempt { _ = try CleanVolumeFile.read(path) }
            try attempt { _ = try Inspection(path) }
        })

    static let shard = FuzzTarget(
        name: "shard", file: "shard.h5", words: words,
        seed: { directory in
            let path = "\(directory)/seed.h5"
            try HDF5File.write(to: path) { file in
                try file.setAttribute("format", to: "luna-shard")
                try file.setAttribute("version", to: 1 as Int64)
                try file.setAttribute("fold", to: 3 as Int64)
                try file.setAttribute("plan", to: "made")
                let patches = try file.createDataset(
                    "/patches", as: UInt8.self, shape: [2, 4, 4, 4], chunk: [1, 4, 4, 4], compression: .deflate(4))
                for row in 0..<2 {
                    let voxels = (0..<64).map { UInt8($0 < 32 ? 170 : 3 * $0 + row) }
                    try patches.write(patches.packed(voxels), row: row)
                }
                try file.write("/series", strings: ["1.2.3", "1.2.4"])
                try file.write("/kind", shape: [2], values: [1, 0 as UInt8])
                try file.write("/corner", shape: [2, 3], values: [0, -1, 2, 3, 4, 5 as Int32])
                try file.write("/volume_extent", shape: [2, 3], values: [40, 50, 60, 9, 12, 14 as Int32])
                try file.write("/target", shape: [2], values: [0, -1 as Int32])
                try file.write("/nodules", shape: [1, 4], values: [1, 2, 3, 4.5])
                try file.write("/nodule_start", shape: [3], values: [0, 1, 1 as Int64])
            }
            return [try FileContent.bytes(path)]
        },
        read: { path in
            try attempt {
                let shard = try ShardReader(path)
                for index in shard.patches.indices { try attempt { _ = try shard.voxels(index) } }
            }
            try attempt { _ = try Inspection(path) }
        })

    /// Weights and checkpoints; the seeds hold the first tensors only, for the whole network's take megabytes.
    static let weights = FuzzTarget(
        name: "weights", file: "weights.h5", words: words,
        seed: { directory in
            let path = "\(directory)/seed.h5"
            return try [WeightsFile.format, Checkpoint.format].map { format in
                try HDF5File.write(to: path) { file in
                    try file.setAttribute("format", to: format)
                    try file.setAttribute("version", to: 1 as Int64)
                    try file.setAttribute("epoch", to: 2 as Int64)
                    try file.setAttribute("epoch_terms", to: [1, 2.5])
                    try file.setAttribute("config", to: "seed: 3\n")
                    for entry in Architecture.standard.parameters.entries.prefix(2) {
                        try file.write(
                            "/model/\(entry.name)", shape: entry.shape,
                            values: (0..<entry.range.count).map { Float($0 % 3) }, compression: .deflate(9))
                    }
                    try file.makeGroup("/optimizer/momentum")
                }
                return try FileContent.bytes(path)
            }
        },
        read: { path in
            try attempt { _ = try WeightsFile.read(path) }
            try attempt { _ = try Checkpoint.read(path) }
            try attempt { _ = try Inspection(path) }
        })

    private static let words = [
        "OHDR", "OCHK", "FRHP", "FHDB", "FHIB", "BTHD", "BTIN", "BTLF", "FADB", "FAHD", "EAHD", "EAIB", "GCOL", "SNOD",
        "HEAP", "TREE", "FSHD", "FSSE", "SMTB", "SMLI", "format", "version", "luna-shard", "luna-clean-volume",
        "luna weights", "luna checkpoint",
    ]
}
