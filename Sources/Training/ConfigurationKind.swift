// The kinds of values of configuration keys: their form in YAML, the allowed values, and their names in messages.

import Yams

/// The form that a value has where an option gives it: YAML has rules for files, not for a path on a command line.
enum ConfigurationForm: Sendable {
    /// Free text, taken as it stands; only `null` is not a text.
    case text
    /// A number, a name, or true or false.
    case word
    /// A list, or a group of keys: YAML.
    case structure
}

/// A kind of value that configuration keys have, such as whole numbers from 1 to 4096.
///
/// Text that does not read as the kind (`epochs: many`) and values that are not allowed (`epochs: 0`) are two faults
/// with two messages: `expected a whole number`, and `expected 1 to 1000000000`.
struct ConfigurationKind<Value>: Sendable {
    /// The kind's name in messages: `a whole number`.
    let expected: String
    /// The allowed values, where not all are: `1 to 4096`.
    var range: String?
    /// The note that follows the key's meaning in the list of all keys: ` (1 to 4096)`.
    var note = ""
    /// The form of values that options give.
    var form = ConfigurationForm.word
    /// The value that a node stands for, or nil where it is of another kind.
    let read: @Sendable (Node) -> Value?
    /// The value as YAML on one line.
    let write: @Sendable (Value) -> String
    /// Whether a value of the kind is within `range`.
    var allows: @Sendable (Value) -> Bool = { _ in true }

    /// The message for a value that is not allowed, or nil for one that is.
    func fault(_ value: Value) -> String? {
        allows(value) ? nil : "\(write(value)), expected \(range ?? expected)"
    }

    /// The kind without some of its values.
    ///
    /// - Parameter range: The values that are left, as messages name them.
    fileprivate func limited(
        to range: String, isObvious: Bool = false, _ allows: @escaping @Sendable (Value) -> Bool
    ) -> Self {
        var kind = self
        (kind.range, kind.note, kind.allows) = (range, isObvious ? "" : " (\(range))", allows)
        return kind
    }
}

extension ConfigurationKind where Value == Int {
    /// Any whole number, in decimal digits: `010` is ten, while YAML 1.1 has eight. Its numbers to other bases
    /// (`0x10`, `1:30:00`) are refused.
    private static var wholeNumber: Self {
        Self(
            expected: "a whole number",
            read: { node in
                guard let text = node.scalar?.string, text.wholeMatch(of: /[+-]?[0-9]+(_[0-9]+)*/) != nil else {
                    return nil
                }
                return Int(text.filter { $0 != "_" })
            }, write: { "\($0)" })
    }

    /// Whole numbers in a range.
    static func integer(_ range: ClosedRange<Int>) -> Self {
        wholeNumber.limited(to: "\(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
    }

    /// Whole numbers from a bound up.
    static func integer(_ range: PartialRangeFrom<Int>) -> Self {
        wholeNumber.limited(to: "\(range.lowerBound) or more", isObvious: true) { range.contains($0) }
    }

    /// Multiples of a number in a range.
    static func integer(_ range: ClosedRange<Int>, multipleOf factor: Int) -> Self {
        wholeNumber.limited(to: "a multiple of \(factor) from \(range.lowerBound) to \(range.upperBound)") {
            range.contains($0) && $0 % factor == 0
        }
    }

    /// Numbers of things, at least one; the upper bound only keeps products of counts from overflowing.
    static var count: Self {
        wholeNumber.limited(to: "1 to 1000000000", isObvious: true) { 1...1_000_000_000 ~= $0 }
    }
}

extension ConfigurationKind where Value == Double {
    /// Any decimal number, and YAML's `.inf` and `.nan`, which no key allows.
    private static var number: Self {
        Self(
            expected: "a number",
            read: { node in
                let decimal = /[+-]?([0-9]+(_[0-9]+)*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?/
                guard let text = node.scalar?.string, text.wholeMatch(of: decimal) != nil else {
                    return node.float.flatMap { $0.isFinite ? nil : $0 }
                }
                return Double(text.filter { $0 != "_" })
            }, write: { "\($0)" })
    }

    /// Numbers from a bound up to another that is not one of them.
    static func number(_ range: Range<Double>) -> Self {
        number.limited(to: "\(text(range.lowerBound)) up to, not including, \(text(range.upperBound))") {
            range.contains($0)
        }
    }

    /// Numbers from a bound up, but not infinity.
    static func number(_ range: PartialRangeFrom<Double>) -> Self {
        number.limited(to: "\(text(range.lowerBound)) or more") { range.contains($0) && $0.isFinite }
    }

    /// Numbers between two that are none of them.
    static func number(between lower: Double, and upper: Double) -> Self {
        number.limited(to: "between \(text(lower)) and \(text(upper))") { $0 > lower && $0 < upper }
    }

    /// Numbers above 0, but not infinity.
    static var positive: Self { number.limited(to: "a positive number") { $0 > 0 && $0.isFinite } }

    /// A bound without the `.0` that a Double is printed with.
    private static func text(_ bound: Double) -> String { Int(exactly: bound).map { "\($0)" } ?? "\(bound)" }
}

extension ConfigurationKind where Value == Bool {
    /// `true` and `false`.
    static var bool: Self { Self(expected: "true or false", read: { $0.bool }, write: { "\($0)" }) }
}

extension ConfigurationKind where Value == String {
    /// A file's path.
    static var path: Self {
        Self(expected: "a path", form: .text, read: { $0.scalar?.string }, write: quoted)
            .limited(to: "a path", isObvious: true) { !$0.isEmpty }
    }

    /// A double-quoted scalar on one line; characters that YAML would fold, drop or refuse are escaped by number.
    @Sendable private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\\(scalar)"
            case 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF, ..<0x20, 0x7F..<0xA0:
                let digits = String(scalar.value, radix: 16)
                result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension ConfigurationKind where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// The names of an enumeration's cases.
    static var choice: Self {
        let names = Value.allCases.map(\.rawValue).joined(separator: " or ")
        return Self(
            expected: names, note: " (\(names))", read: { $0.scalar.flatMap { Value(rawValue: $0.string) } },
            write: { $0.rawValue })
    }

    /// The names of an enumeration's cases, each with a meaning of its own.
    static func choice(_ meaning: (Value) -> String) -> Self {
        var kind = choice
        kind.note = Value.allCases.map { "; \($0.rawValue): \(meaning($0))" }.joined()
        return kind
    }
}

extension ConfigurationKind {
    /// Values of a kind, or `null`.
    static func optional<Wrapped>(_ kind: ConfigurationKind<Wrapped>) -> Self where Value == Wrapped? {
        Self(
            expected: "\(kind.expected) or null", range: kind.range.map { "\($0) or null" }, note: kind.note,
            form: kind.form,
            read: { node in
                // What is left empty is no wish for no text: an unset variable, or a mark of YAML's upon nothing.
                let isEmptyText = kind.form == .text && node.scalar?.string.isEmpty == true
                if node.null != nil, node.tag == Tag(.null), !isEmptyText { return .some(nil) }
                return kind.read(node).map { .some($0) }
            },
            write: { $0.map(kind.write) ?? "null" }, allows: { $0.map(kind.allows) ?? true })
    }

    /// Lists of values of a kind: `[5.0, 10.0, 20.0]`.
    ///
    /// - Parameter count: The allowed numbers of values.
    static func list<Element>(_ count: ClosedRange<Int>, of kind: ConfigurationKind<Element>) -> Self
    where Value == [Element] {
        let numbers = "\(count.lowerBound) to \(count.upperBound) values in brackets"
        let range = kind.range.map { "\(numbers), each \($0)" } ?? numbers
        return Self(
            expected: "a list in brackets, each \(kind.expected)", range: range, note: " (\(range))",
            form: .structure,
            read: { node in
                guard let nodes = node.sequence else { return nil }
                let values = nodes.compactMap(kind.read)
                return values.count == nodes.count ? values : nil
            },
            write: { "[\($0.map(kind.write).joined(separator: ", "))]" },
            allows: { count.contains($0.count) && $0.allSatisfy(kind.allows) })
    }
}
