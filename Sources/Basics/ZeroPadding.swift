extension BinaryInteger {
    /// The number's digits, padded with leading zeros to a width, so that texts sort as numbers do.
    ///
    /// - Parameters:
    ///   - width: The least number of digits.
    ///   - radix: The base, 2 … 36; digits beyond 9 are lower-case letters.
    public func zeroPadded(to width: Int, radix: Int = 10) -> String {
        let digits = String(magnitude, radix: radix)
        return (self < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
