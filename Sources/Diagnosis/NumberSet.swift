/// A set of processors, NUMA nodes or ranks, written as the kernel writes it: `0-3,8`.
public struct NumberSet: Hashable, Sendable, CustomStringConvertible {
    /// The numbers, ascending, each once.
    public let numbers: [Int]

    /// The limit for numbers; no list of the kernel's leads beyond it.
    private static let limit = 1 << 20

    /// Creates a set; numbers that come twice count once.
    public init(_ numbers: some Sequence<Int>) { self.numbers = Set(numbers).sorted() }

    /// Reads a list such as `0-3,8`; nil where the text is no such list.
    public init?(_ text: String) {
        var numbers: [Int] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0.trimmed) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 0,
                first <= last, last < Self.limit
            else { return nil }
            numbers += first...last
        }
        self.init(numbers)
    }

    /// The number of members.
    public var count: Int { numbers.count }
    /// Whether there is no member.
    public var isEmpty: Bool { numbers.isEmpty }

    /// Whether two sets have a member in common.
    public func intersects(_ other: NumberSet) -> Bool { !Set(numbers).isDisjoint(with: other.numbers) }

    /// The members of either set.
    public func union(_ other: NumberSet) -> NumberSet { NumberSet(numbers + other.numbers) }

    /// The list as the kernel writes it: `0-3,8`.
    public var description: String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// The list for people: the description where it is short, otherwise how many members of which range.
    public var summary: String {
        let text = description
        guard text.count > 24, let first = numbers.first, let last = numbers.last else { return text }
        return "\(count) of \(first)-\(last)"
    }
}

extension NumberSet: Codable {
    /// Decodes the list's text.
    ///
    /// - Throws: `DecodingError` where the text is no such list.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let set = NumberSet(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(text) is no list of numbers"))
        }
        self = set
    }

    /// Encodes the set as its description.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension StringProtocol {
    /// The text without the white space around it.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
