import Basics
import FileIO

extension NRRDHeader {
    /// The spaces that lead to LPS, and the factors of x and y.
    private static let spaces: [String: (x: Double, y: Double)] = [
        "left-posterior-superior": (1, 1), "lps": (1, 1), "right-anterior-superior": (-1, -1), "ras": (-1, -1),
        "left-anterior-superior": (1, -1), "las": (1, -1),
    ]

    /// Reads the geometry in LPS, mm. Where the header names no space its numbers are taken for LPS, as ITK takes them.
    static func geometry(_ fields: HeaderFields, extent: ZYX<Int>) throws -> VolumeGeometry {
        let factors = try spaceFactors(fields)
        try checkUnits(fields)
        func toLPS(_ vector: [Double]) -> [Double] { [vector[0] * factors.x, vector[1] * factors.y, vector[2]] }
        var spacing: [Double]
        var orientation = VolumeGeometry.upright
        if let directions = try fields.vectors("space directions", count: 3) {
            spacing = directions.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            orientation = zip(directions, spacing).flatMap { vector, length in toLPS(vector).map { $0 / length } }
        } else if fields["space"] == nil, let distances = try fields.numbers("spacings", count: 3) {
            spacing = distances
        } else {
            throw fields.missing("space directions")
        }
        guard spacing.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw InputError(
                fields.path, at: fields.place("space directions", "spacings"),
                "gives the spacing \(spacing), expected three positive millimetres")
        }
        let origin = try fields.vectors("space origin", count: 1).map { toLPS($0[0]) } ?? cornerOrigin(fields, spacing)
        return VolumeGeometry(
            extent: extent, spacing: ZYX(spacing[2], spacing[1], spacing[0]),
            origin: ZYX(origin[2], origin[1], origin[0]), orientation: orientation)
    }

    private static func spaceFactors(_ fields: HeaderFields) throws -> (x: Double, y: Double) {
        if let dimension = fields["space dimension"], dimension.value != "3" {
            throw fields.error(dimension, "is \(dimension.value), expected 3")
        }
        guard let space = fields["space"] else { return (1, 1) }
        guard let factors = spaces[space.value.lowercased()] else {
            throw fields.error(
                space,
                "is \(space.value), expected left-posterior-superior, right-anterior-superior or "
                    + "left-anterior-superior",
                remedy: "write the scan anew in one of them")
        }
        return factors
    }

    private static func checkUnits(_ fields: HeaderFields) throws {
        for key in ["space units", "units"] {
            guard let field = fields[key] else { continue }
            let units = field.value.lowercased().replacing("\"", with: " ").split(separator: " ")
            guard units.allSatisfy({ ["mm", "millimeter", "millimeters", "millimetre", "???"].contains($0) }) else {
                throw fields.error(
                    field, "is \(field.value), expected mm", remedy: "write the scan anew in millimetres")
            }
        }
    }

    /// The first voxel's position without a `space origin`: its centre from the axes' lower ends, or 0.
    private static func cornerOrigin(_ fields: HeaderFields, _ spacing: [Double]) throws -> [Double] {
        guard let field = fields["axis mins"], !field.value.lowercased().contains("nan"),
            fields["space directions"] == nil, let mins = try fields.numbers("axis mins", count: 3)
        else { return [0, 0, 0] }
        let centerings = fields["centerings"]?.value.lowercased().split(separator: " ") ?? []
        return (0..<3).map { axis in
            // Where samples are cells, their centres lie half a cell further in.
            let isNode = axis < centerings.count && centerings[axis] == "node"
            return mins[axis] + (isNode ? 0 : spacing[axis] / 2)
        }
    }
}
