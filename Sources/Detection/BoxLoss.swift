import Basics

/// The distance-IoU loss of a cube (Z. Zheng et al., "Distance-IoU Loss", AAAI 2020) and its gradient.
///
/// The loss is 1 − IoU + ρ²/κ, with ρ the distance of the centres and κ the squared diagonal of the smallest box that
/// holds both cubes, which the gradient takes as constant. Cubes that do not touch have no IoU to learn their size
/// from: the smooth L1 norm of the sizes' logarithms is added to theirs. All is measured in the anchor's edge length,
/// which cancels.
struct BoxLoss {
    /// The parts of the loss: the three axes' shares of ρ²/κ, and the rest.
    let terms: [Double]
    /// The derivatives with respect to (dz, dy, dx, dd).
    let gradient: [Double]

    /// The range of dd, beyond which a cube keeps its size but learns as if it had not reached it: e³ is twenty times
    /// the anchor.
    static let sizes = -3.0...3.0

    /// Compares a cube with another.
    ///
    /// - Parameters:
    ///   - output: The network's (dz, dy, dx, dd).
    ///   - label: The target's.
    init(output: ArraySlice<Float>, label: ArraySlice<Float>) {
        let (own, other) = (output.map(Double.init), label.map(Double.init))
        let logSize = min(max(own[3], Self.sizes.lowerBound), Self.sizes.upperBound)
        let (size, target) = (Elementary.exp(logSize), Elementary.exp(other[3]))
        let sides = (0..<3).map { BoxEdges(own[$0], size, other[$0], target) }

        let diagonal = sides.reduce(0) { $0 + $1.enclosing * $1.enclosing }
        let distances = (0..<3).map { (own[$0] - other[$0]) * (own[$0] - other[$0]) / diagonal }
        var slopes = (0..<3).map { 2 * (own[$0] - other[$0]) / diagonal }
        let rest: Double
        if sides.allSatisfy({ $0.shared > 0 }) {
            let intersection = sides.reduce(1) { $0 * $1.shared }
            let volume = size * size * size
            let union = volume + target * target * target - intersection
            // IoU = I/U with U = V + V′ − I, so that dIoU = (dI·(U + I) − I·dV)/U².
            for axis in 0..<3 {
                let change = intersection / sides[axis].shared * sides[axis].sharedByCenter
                slopes[axis] -= change * (union + intersection) / (union * union)
            }
            let growth = sides.reduce(0) { $0 + intersection / $1.shared * $1.sharedBySize }
            let bySize = (growth * (union + intersection) - intersection * 3 * size * size) / (union * union)
            rest = 1 - intersection / union
            slopes.append(-bySize * size)
        } else {
            let difference = own[3] - other[3]
            rest = 1 + DetectionLoss.smoothL1(difference)
            slopes.append(min(1, max(-1, difference)))
        }
        terms = distances + [rest]
        gradient = slopes
    }
}
