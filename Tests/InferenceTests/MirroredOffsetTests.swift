import Basics
import Detection
import Testing

@testable import Inference

/// Offsets come back from mirrored tiles as they left, whether they count from a cell's centre or from its corner.
@Suite struct MirroredOffsetTests {
    @Test(arguments: [RecipeName.published, .anchorFree]) func offsetsComeBack(_ name: RecipeName) throws {
        let recipe = name.recipe(anchors: [4])
        let side = 16
        let nodule = ZYX(5.0, 9, 2)
        var input = Tensor(shape: [1, 1, side, side, side])
        input.values[(5 * side + 9) * side + 2] = 1
        // Knows exactly where the bright voxel is, in cells.
        let network: Mirrors.Network = { input, _ in
            let place = input.values.firstIndex(of: 1) ?? 0
            let voxel = ZYX(place / (side * side), place / side % side, place % side).map(Double.init)
            var output = Tensor(shape: [1, 4, 4, 4, 1, recipe.components])
            for cell in 0..<64 {
                let center = ZYX(cell / 16, cell / 4 % 4, cell % 4).map(recipe.place)
                for axis in 0..<3 {
                    output.values[cell * recipe.components + 1 + axis] = Float((voxel[axis] - center[axis]) / 4)
                }
            }
            return output
        }
        let coord = Tensor(shape: [1, 3, 4, 4, 4])
        let mean = try Mirrors.averaging(network, offsetSum: recipe.mirroredOffsetSum)(input, coord)
        #expect(mean == (try network(input, coord)))
        #expect(recipe.boxes(mean.values, grid: ZYX(4, 4, 4), threshold: -1).allSatisfy { $0.box.center == nodule })
    }
}
