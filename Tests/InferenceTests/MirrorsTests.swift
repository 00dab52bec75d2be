import Basics
import Inference
import Testing

@Suite struct MirrorsTests {
    private let cells = (d: 1, h: 2, w: 3)

    /// [1, 1, D, H, W] of a network's tile, with a value of its own in each cell's first voxel.
    private func input() -> Tensor {
        let shape = [1, 1, 4 * cells.d, 4 * cells.h, 4 * cells.w]
        return Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0 % 31) })
    }

    private func coord() -> Tensor {
        Tensor(shape: [1, 3, cells.d, cells.h, cells.w], values: (0..<18).map { Float($0) })
    }

    /// A cell's logit is the sum of its voxels and coordinates; its offsets are always the same.
    private func network(_ input: Tensor, _ coord: Tensor) -> Tensor {
        let (height, width) = (4 * cells.h, 4 * cells.w)
        var output = Tensor(shape: [1, cells.d, cells.h, cells.w, 1, 5])
        for h in 0..<cells.h {
            for w in 0..<cells.w {
                var sum: Float = 0
                for z in 0..<4 {
                    for y in 0..<4 {
                        for x in 0..<4 { sum += input.values[(z * height + 4 * h + y) * width + 4 * w + x] }
                    }
                }
                for channel in 0..<3 { sum += 100 * coord.values[(channel * cells.h + h) * cells.w + w] }
                let cell = 5 * (h * cells.w + w)
                output.values.replaceSubrange(cell..<cell + 5, with: [sum, 0.25, 0.5, 1, 2])
            }
        }
        return output
    }

    /// Answers that do not depend on the side come out as they were; offsets that always point one way cancel, but
    /// along z.
    @Test func equivariantAnswersStay() throws {
        let single = network(input(), coord())
        let mean = try Mirrors.averaging(network)(input(), coord())
        #expect(mean.shape == single.shape)
        for cell in stride(from: 0, to: mean.count, by: 5) {
            #expect(mean.values[cell] == single.values[cell])
            #expect(Array(mean.values[cell + 1..<cell + 5]) == [0.25, 0, 0, 2])
        }
    }

    /// An answer to one voxel only becomes the mean over the four voxels that mirror each other.
    @Test func averagesOverFour() throws {
        let mean = try Mirrors.averaging { input, _ in
            Tensor(shape: [1, 1, 1, 1, 1, 5], values: [input.values[0], 0, 0, 0, 0])
        }(input(), coord())
        let values = input().values
        let (height, width) = (4 * cells.h, 4 * cells.w)
        let corners = [0, width - 1, (height - 1) * width, height * width - 1].map { values[$0] }
        #expect(mean.values[0] == corners.reduce(0, +) / 4)
    }

    /// The mean is that of the views, each of which has turned its offsets back.
    @Test func viewsLookAtMirrorImages() throws {
        let views = Mirrors.views(network, offsetSum: 0.75)
        let answers = try views.map { try $0(input(), coord()) }
        #expect(answers.map { $0.values[0] } == Array(repeating: answers[0].values[0], count: 4))
        #expect(answers.map { $0.values[2] } == [0.5, 0.5, 0.25, 0.25])
        #expect(answers.map { $0.values[3] } == [1, -0.25, 1, -0.25])
        let mean = try Mirrors.averaging(network, offsetSum: 0.75)(input(), coord())
        for index in mean.values.indices {
            #expect(mean.values[index] == answers.reduce(0) { $0 + $1.values[index] } / 4)
        }
    }
}
