import FileIO

extension NIfTIFields {
    /// The place of the voxels in NIfTI's world (RAS), in the header's unit.
    struct Frame {
        /// The field that gives it.
        var name: String
        /// The unit vectors (x, y, z) along which the index of x, of y and of z grow, [3][3].
        var axes: [[Double]]
        /// The first voxel's position, [3].
        var origin: [Double]
    }

    /// The difference between the two forms, and of an axis from a right angle, up to which ITK takes it for rounding.
    private static let tolerance = 1e-4
    /// The fraction by which the sform's spacing can differ from pixdim.
    private static let spacingTolerance = 0.01
    /// The code of coordinates that the scanner gave.
    private static let scannerCode = 1

    /// Chooses the one of the header's two frames that ITK 5 takes: the sform where it is rectangular and either the
    /// scanner's, or alone, or the same as the qform; else the qform. Where neither is given, the axes are those of the
    /// scan's own world, from 0.
    ///
    /// - Throws: `InputError` where no frame is rectangular.
    func frame() throws -> Frame {
        guard qformCode != 0 || sformCode != 0 else {
            return Frame(name: "qform_code", axes: [[-1, 0, 0], [0, -1, 0], [0, 0, 1]], origin: [0, 0, 0])
        }
        let qform = qformCode == 0 ? nil : qformFrame
        guard sformCode != 0 else { return try checked(qform) }
        let sform = sformFrame
        guard isRectangular(sform) else {
            guard let qform else {
                throw InputError(
                    path, at: "srow", "the axes are not at right angles to each other",
                    remedy: "resample the scan to a rectangular grid")
            }
            return try checked(qform)
        }
        if let qform, sformCode != Self.scannerCode, !areAlike(sform, qform) { return try checked(qform) }
        try checkSpacing()
        return sform
    }

    private func checked(_ frame: Frame?) throws -> Frame {
        guard let frame, isRectangular(frame) else {
            throw InputError(
                path, at: "quatern", "\(quaternion.prefix(3)) is not a rotation", remedy: "correct the header")
        }
        return frame
    }

    private var sformFrame: Frame {
        let axes = (0..<3).map { column in Self.normalized((0..<3).map { sform[$0][column] }) }
        return Frame(name: "srow", axes: axes, origin: sform.map { $0[3] })
    }

    /// The rotation of a unit quaternion of which b, c and d are given, with the third axis reversed where pixdim[0]
    /// says so (NIfTI's "method 2").
    private var qformFrame: Frame {
        var (b, c, d) = (quaternion[0], quaternion[1], quaternion[2])
        let rest = 1 - (b * b + c * c + d * d)
        var a = 0.0
        if rest < 1e-7 {
            let scale = 1 / (b * b + c * c + d * d).squareRoot()
            (b, c, d) = (b * scale, c * scale, d * scale)
        } else {
            a = rest.squareRoot()
        }
        let sign = pixdim[0] < 0 ? -1.0 : 1
        let axes = [
            [a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)],
            [2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)],
            [2 * (b * d + a * c) * sign, 2 * (c * d - a * b) * sign, (a * a + d * d - b * b - c * c) * sign],
        ]
        return Frame(name: "qoffset", axes: axes.map(Self.normalized), origin: Array(quaternion[3...]))
    }

    private static func normalized(_ vector: [Double]) -> [Double] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    /// Whether a frame's axes are at right angles; false, too, where an axis has no length or is no number.
    private func isRectangular(_ frame: Frame) -> Bool {
        (0..<3).allSatisfy { i in
            (0...i).allSatisfy { j in
                let product = zip(frame.axes[i], frame.axes[j]).reduce(0) { $0 + $1.0 * $1.1 }
                return abs(product - (i == j ? 1 : 0)) <= Self.tolerance
            }
        }
    }

    private func areAlike(_ a: Frame, _ b: Frame) -> Bool {
        zip(a.axes.joined(), b.axes.joined()).allSatisfy { abs($0 - $1) <= Self.tolerance }
            && zip(a.origin, b.origin).allSatisfy { abs($0 - $1) <= Self.tolerance }
    }

    private func checkSpacing() throws {
        for axis in 0..<3 {
            let length = (0..<3).reduce(0) { $0 + sform[$1][axis] * sform[$1][axis] }.squareRoot()
            let spacing = pixdim[axis + 1]
            guard abs(length - spacing) <= Self.spacingTolerance * spacing else {
                throw InputError(
                    path, at: "pixdim[\(axis + 1)]", "is \(spacing), but the sform's spacing is \(length)",
                    remedy: "correct the one that is wrong")
            }
        }
    }
}
