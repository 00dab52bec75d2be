// Weights and batches from the closed formulas of scripts/reference/synthetic.py, to the last bit.

@testable import Networks

enum ClosedForm {
    /// FNV-1a, 64 bits.
    static func fnv1a(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// SplitMix64's finaliser of fnv1a(name) + index.
    static func hash(_ base: UInt64, _ index: Int) -> UInt64 {
        var z = base &+ UInt64(index) &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// In [-1, 1).
    static func uniform(_ base: UInt64, _ index: Int) -> Double {
        Double(hash(base, index) >> 40) / Double(1 << 24) * 2 - 1
    }

    /// How batch norm's weights and biases are drawn.
    enum Profile: String, Decodable {
        /// ReLU cuts half of the values.
        case ordinary
        /// Few values lie near ReLU's kink.
        case separated
    }

    static func state(_ profile: Profile, of architecture: Architecture = .standard) -> NetworkState {
        let (base, spread, shift) = profile == .ordinary ? (1.0, 0.25, 0.0) : (0.3, 0.075, 1.0)
        var parameters = [Float](repeating: 0, count: architecture.parameters.count)
        for entry in architecture.parameters.entries {
            let name = fnv1a(entry.name)
            let dot = entry.name.lastIndex(of: ".") ?? entry.name.startIndex
            let weight = architecture.parameters[entry.name[..<dot] + ".weight"]?.shape ?? []
            let isWeight = entry.name.hasSuffix(".weight")
            for (index, place) in entry.range.enumerated() {
                let u = uniform(name, index)
                if weight.count == 1 {
                    let offset = shift * (1.0 - 2.0 * Double(index % 2))
                    parameters[place] = Float(isWeight ? base + spread * u : offset + 0.25 * u)
                } else {
                    parameters[place] = Float(u * (1 / Double(weight[1...].reduce(1, *)).squareRoot()))
                }
            }
        }
        var statistics = [Float](repeating: 0, count: architecture.statistics.count)
        for entry in architecture.statistics.entries where entry.name.hasSuffix("running_var") {
            for place in entry.range { statistics[place] = 1 }
        }
        return NetworkState(architecture: architecture, parameters: parameters, statistics: statistics)
    }

    private static func wave(_ position: Int, _ half: Int) -> Int { abs(position % (2 * half) - half) }

    /// An input [N, 1, D, H, W].
    static func image(_ shape: [Int], noise: Int) -> [Float] {
        let (depth, height, width) = (shape[2], shape[3], shape[4])
        let base = fnv1a("input \(noise)")
        var values: [Float] = []
        for s in 0..<shape[0] {
            for z in 0..<depth {
                for y in 0..<height {
                    for x in 0..<width {
                        var level = 30 + 3 * wave(z + 5 * s, 12) + 2 * wave(2 * y + x, 24) + 2 * wave(x + z, 16)
                        level += Int(hash(base, values.count) >> 59)
                        for ball in 0..<3 {
                            let dz = z - (9 + 11 * ball) % depth
                            let dy = y - (12 + 17 * ball + 5 * s) % height
                            let dx = x - (20 + 13 * ball) % width
                            let radius = 4 + 2 * ball
                            if dz * dz + dy * dy + dx * dx < radius * radius { level += 60 }
                        }
                        values.append(Float(Double(min(level, 255) - 128) / 128))
                    }
                }
            }
        }
        return values
    }

    /// Ramps [N, 3, D/4, H/4, W/4].
    static func coordinates(_ shape: [Int]) -> [Float] {
        let grid = shape[2...].map { $0 / 4 }
        var values: [Float] = []
        for sample in 0..<shape[0] {
            for (axis, place) in [(17, 240), (40, 280), (83, 300)].enumerated() {
                let corner = Double(place.0 - 9 * sample)
                let size = Double(place.1)
                let first = corner / size - 0.5
                let last = (corner + Double(shape[2 + axis])) / size - 0.5
                for z in 0..<grid[0] {
                    for y in 0..<grid[1] {
                        for x in 0..<grid[2] {
                            let index = Double([z, y, x][axis])
                            values.append(Float(first + (last - first) * (index / Double(grid[axis] - 1))))
                        }
                    }
                }
            }
        }
        return values
    }

    /// Labels [N, D/4, H/4, W/4, 3, 5].
    static func labels(_ shape: [Int]) -> [Float] {
        let count = shape[0] * shape[2...].map { $0 / 4 }.reduce(1, *) * 3
        let (kinds, offsets) = (fnv1a("labels"), fnv1a("offsets"))
        var values: [Float] = []
        for cell in 0..<count {
            let draw = hash(kinds, cell) >> 54
            let kind: Float = draw == 1023 ? 1 : draw < 256 ? 0 : -1
            values.append(kind)
            for component in 0..<4 {
                values.append(kind == 1 ? Float(2 * uniform(offsets, 4 * cell + component)) : kind)
            }
        }
        return values
    }

    /// The gradient of an output of so many numbers.
    static func outputGradient(_ count: Int) -> [Float] {
        let base = fnv1a("output gradient")
        return (0..<count).map { Float(uniform(base, $0) / 64) }
    }

    /// The elements that the fixture holds of a tensor.
    static func sample(_ name: String, _ values: some Collection<Float>, count: Int) -> [Double] {
        let values = Array(values)
        let base = fnv1a("sample " + name)
        return (0..<count).map { Double(values[Int(hash(base, $0) % UInt64(values.count))]) }
    }

    /// Sums of all elements, the sign of each in sum k being bit k of its hash.
    static func projections(_ name: String, _ values: some Collection<Float>) -> [Double] {
        let base = fnv1a("signs " + name)
        var sums = [Double](repeating: 0, count: 16)
        for (index, value) in values.enumerated() {
            let signs = hash(base, index)
            for k in 0..<16 { sums[k] += signs >> UInt64(k) & 1 == 1 ? Double(value) : -Double(value) }
        }
        return sums
    }
}
