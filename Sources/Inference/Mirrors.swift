import Basics

/// Test-time augmentation: the mean of the network's answers to a tile and to its mirror images along y and x, the axes
/// along which training mirrors its crops.
public enum Mirrors {
    /// A network as a function: voxels [N, 1, D, H, W] and coordinates [N, 3, d, h, w] in, [N, d, h, w, anchors, 5]
    /// out.
    public typealias Network = (_ input: Tensor, _ coord: Tensor) throws -> Tensor

    /// A network, and the same one looking into each of three mirror images: four networks of which each answers for
    /// the tile as it is given.
    ///
    /// - Parameters:
    ///   - network: Answers to a tile.
    ///   - offsetSum: The sum of an offset and its mirror image, as `Recipe.mirroredOffsetSum` says.
    public static func views(_ network: @escaping Network, offsetSum: Float = 0) -> [Network] {
        [network]
            + [(false, true), (true, false), (true, true)].map { y, x in
                { input, coord in
                    let answer = try network(mirrored(input, y: y, x: x), mirrored(coord, y: y, x: x))
                    return output(answer, y: y, x: x, offsetSum)
                }
            }
    }

    /// A network that answers with the mean over the four mirror images, at the cost of four passes.
    ///
    /// Logits and boxes are averaged; a mirrored box's offset along the axis is turned back.
    ///
    /// - Parameters:
    ///   - network: Answers to a tile.
    ///   - offsetSum: The sum of an offset and its mirror image, as `Recipe.mirroredOffsetSum` says.
    public static func averaging(_ network: @escaping Network, offsetSum: Float = 0) -> Network {
        let views = views(network, offsetSum: offsetSum)
        return { input, coord in
            var mean = try views[0](input, coord)
            for view in views.dropFirst() {
                let answer = try view(input, coord)
                for index in mean.values.indices { mean.values[index] += answer.values[index] }
            }
            for index in mean.values.indices { mean.values[index] /= Float(views.count) }
            return mean
        }
    }

    /// A tensor [N, C, D, H, W] reversed along H, W or both.
    private static func mirrored(_ tensor: Tensor, y: Bool, x: Bool) -> Tensor {
        let s = tensor.shape
        return reversed(tensor, planes: s[0] * s[1] * s[2], rows: s[3], columns: s[4], inner: 1, y: y, x: x)
    }

    /// The network's output [N, d, h, w, anchors, (logit, dz, dy, dx, …)] mirrored back along h, w or both.
    private static func output(_ tensor: Tensor, y: Bool, x: Bool, _ offsetSum: Float) -> Tensor {
        let s = tensor.shape
        var result = reversed(
            tensor, planes: s[0] * s[1], rows: s[2], columns: s[3], inner: s[4] * s[5], y: y, x: x)
        for cell in stride(from: 0, to: result.count, by: s[5]) {
            if y { result.values[cell + 2] = offsetSum - result.values[cell + 2] }
            if x { result.values[cell + 3] = offsetSum - result.values[cell + 3] }
        }
        return result
    }

    private static func reversed(
        _ tensor: Tensor, planes: Int, rows: Int, columns: Int, inner: Int, y: Bool, x: Bool
    ) -> Tensor {
        var result = tensor
        for plane in 0..<planes {
            for row in 0..<rows {
                let source = (plane * rows + (y ? rows - 1 - row : row)) * columns
                let target = (plane * rows + row) * columns
                for column in 0..<columns {
                    let from = (source + (x ? columns - 1 - column : column)) * inner
                    let to = (target + column) * inner
                    for index in 0..<inner { result.values[to + index] = tensor.values[from + index] }
                }
            }
        }
        return result
    }
}
