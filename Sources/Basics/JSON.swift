// How this project writes and reads JSON, said once.

import Foundation

/// The JSON of our own files and of what commands print.
///
/// Names are in snake case, made of the properties' (`stepSeconds` is `step_seconds`), in the order of their letters.
/// JSON has no numbers that are not finite: they stand as `"nan"`, `"inf"` and `"-inf"`.
///
/// A name is found again only where its words are written that way: `seriesuid` and `annotationsCrc32`, not `seriesUID`
/// and `annotationsCRC32`. Where a property has another name, its `CodingKeys` say so, in camel case. Keys of a
/// dictionary stay as they are.
public enum JSON {
    /// A value's JSON text, without a newline at its end.
    ///
    /// - Parameters:
    ///   - value: Any value whose members can be encoded.
    ///   - isIndented: Whether every member stands on a line of its own, for people; otherwise the text is one line.
    ///   - escapesSlashes: Whether `/` is written `\/`, as JSON allows and most of our files have it.
    /// - Throws: `EncodingError`.
    public static func encode(
        _ value: some Encodable, isIndented: Bool = false, escapesSlashes: Bool = true
    ) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
        if !escapesSlashes { encoder.outputFormatting.insert(.withoutEscapingSlashes) }
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return [UInt8](try encoder.encode(value))
    }

    /// The value that a JSON text describes; members that the type does not have are ignored.
    ///
    /// - Throws: `DecodingError`.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from text: some Sequence<UInt8>
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: Data(text))
    }

    /// The name that a key has in the text, for messages.
    public static func name(of key: any CodingKey) -> String {
        key.stringValue.reduce(into: "") { name, letter in
            name += letter.isUppercase ? "_\(letter.lowercased())" : String(letter)
        }
    }
}
