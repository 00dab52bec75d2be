import ArgumentParser

/// A number of bytes as people write it: `800M`, `6G`, `1.5G`; the letters mean powers of 1,024.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        var digits = argument[...]
        if digits.last?.uppercased() == "B" { digits = digits.dropLast() }
        if digits.last == "i" { digits = digits.dropLast() }
        let shifts: [String: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
        guard let unit = digits.last, let shift = shifts[unit.uppercased()], let number = Double(digits.dropLast()),
            number > 0, number < 1e6
        else { return nil }
        bytes = Int(number * Double(1 << shift))
    }

    var description: String {
        bytes % (1 << 30) == 0 ? "\(bytes >> 30)G" : bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : "\(bytes >> 10)K"
    }

    var defaultValueDescription: String { description }
}
