import FileIO
import Interchange

extension FuzzTarget {
    /// Weights from elsewhere. The seeds are small: the network's own take megabytes.
    static let safetensors = FuzzTarget(
        name: "safetensors", file: "weights.safetensors",
        words: [
            "\"dtype\":", "\"shape\":[", "\"data_offsets\":[", "\"__metadata__\":{", "\"F32\"", "\"F64\"", "\"F16\"",
            "\"BF16\"", "\"I64\"", "\"U8\"", "\"BOOL\"", "module.", "preBlock.0.weight", "num_batches_tracked",
            "9223372036854775807", "-1", "18446744073709551616", "1e3", "0.5", "\\u0061", "\\ud800", "[[[[[[[[", "null",
        ],
        seed: { directory in
            let path = "\(directory)/seed.safetensors"
            try Safetensors.write(
                [("module.preBlock.0.bias", [3], [1, -2, 0.5]), ("b", [2, 1], [3, 4]), ("c", [], [5])],
                metadata: ["format": "pt", "preset": "luna16", "validation_fold": "3"], to: path)
            let header =
                #"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1,2],"#
                + #""data_offsets":[4,8]},"c.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[16,24]},"#
                + #""d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#
            let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
            return [try FileContent.bytes(path), length + Array(header.utf8) + (0..<24).map { UInt8($0) }]
        },
        read: { path in
            try attempt {
                let file = try Safetensors(contentsOf: path)
                for tensor in file.tensors { try attempt { _ = try file.floats(tensor) } }
                try attempt { _ = try file.networkState() }
                _ = WeightsOrigin(metadata: file.metadata)
            }
        })
}
