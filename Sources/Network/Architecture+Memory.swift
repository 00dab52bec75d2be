import Basics
import Compute

extension Architecture {
    public func evaluationBytes(_ extent: ZYX<Int>) -> Int {
        (16 << 20) + 47 * extent.z * extent.y * extent.x + 700 * extent.y * extent.x
    }
    public func trainingBytes(_ extent: ZYX<Int>, samples: Int, threads: Int) -> Int {
        (28 << 20) + (3 << 19) * threads + 345 * samples * extent.product
    }
}
