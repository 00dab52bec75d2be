// The JSON header of a safetensors file: {name: {dtype, shape, data_offsets}, …, "__metadata__": {text: text}}.

import FileIO
import Foundation

struct SafetensorsHeader {
    var metadata: [String: String] = [:]
    private var entries: [String: Entry] = [:]

    /// The header's description of one tensor.
    struct Entry: Codable {
        var dtype: String
        var shape: [Int]
        /// The first byte and the one after the last, from the header's end.
        var dataOffsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case dataOffsets = "data_offsets"
        }
    }

    /// The size of an element in bytes, by type.
    private static let sizes = [
        "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2,
        "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8,
    ]

    /// Decodes a header.
    ///
    /// Foundation's decoder keeps one of two equal names and does not say which. So names are looked for once more by
    /// `JSONNames`, which refuses an object that has one twice.
    ///
    /// - Throws: `InputError`.
    init(_ bytes: ArraySlice<UInt8>, file: String) throws {
        let place = "the header"
        // Foundation would also take UTF-16 and UTF-32.
        guard bytes.first == UInt8(ascii: "{"), !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil
        else { throw InputError(file, at: place, "is no JSON object in UTF-8", remedy: "expected a safetensors file") }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw InputError(
                file, at: Self.place(error) ?? place, "not as expected: each tensor has dtype, shape and data_offsets")
        } catch { throw InputError(file, at: place, "is no JSON") }
        if let name = JSONNames.firstFault(bytes) {
            throw InputError(file, at: place, "`\(name.prefix(80))` stands twice in an object, or has an escape in it")
        }
    }

    private static func place(_ error: DecodingError) -> String? {
        let path: [any CodingKey]? =
            switch error {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            @unknown default: nil
            }
        guard let path, !path.isEmpty else { return nil }
        return String(path.map(\.stringValue).joined(separator: ".").prefix(120))
    }

    /// The tensors by place, which must fill the file to its last byte, without holes and without sharing one.
    ///
    /// - Throws: `InputError`.
    func tensors(filling count: Int, file: String) throws -> [Safetensors.Tensor] {
        var tensors: [Safetensors.Tensor] = []
        for (name, entry) in entries {
            let offsets = entry.dataOffsets
            guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= count else {
                throw InputError(file, at: name, "data_offsets \(offsets.prefix(3)) in \(count) bytes of values")
            }
            guard let size = Self.sizes[entry.dtype] else {
                throw InputError(file, at: name, "dtype `\(entry.dtype.prefix(20))` is none that is known here")
            }
            let range = offsets[0]..<offsets[1]
            guard Self.bytes(entry.shape, size) == range.count else {
                throw InputError(
                    file, at: name,
                    "\(range.count) bytes, which \(entry.dtype) of shape \(entry.shape.prefix(8)) does not fill")
            }
            tensors.append(Safetensors.Tensor(name: name, type: entry.dtype, shape: entry.shape, range: range))
        }
        // Names only settle the order of empty tensors, so that it is the same at every run.
        tensors.sort {
            ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        var end = 0
        for tensor in tensors {
            guard tensor.range.lowerBound == end else {
                let fault =
                    tensor.range.lowerBound < end ? "shares bytes with the tensor before it" : "lies behind a hole"
                throw InputError(
                    file, at: tensor.name, "begins at \(tensor.range.lowerBound), expected \(end): \(fault)")
            }
            end = tensor.range.upperBound
        }
        guard end == count else {
            throw InputError(file, "\(count - end) bytes behind the last tensor", remedy: "copy the file again")
        }
        return tensors
    }

    /// The size of a tensor in bytes; nil for a negative extent or a product that no file has.
    private static func bytes(_ shape: [Int], _ size: Int) -> Int? {
        var product = size
        // A zero makes all other extents harmless; they are checked all the same.
        for extent in shape {
            let (value, overflows) = product.multipliedReportingOverflow(by: extent)
            if extent < 0 || overflows { return nil }
            product = value
        }
        return product
    }

    /// A header's JSON text, with names in the order of their bytes.
    static func encoded(_ entries: [String: Entry], metadata: [String: String]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var header = SafetensorsHeader()
        header.entries = entries
        header.metadata = metadata
        return Array(try encoder.encode(header))
    }

    private init() {}
}

extension SafetensorsHeader: Codable {
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
        static let metadata = Name(stringValue: "__metadata__")
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for name in container.allKeys {
            if name.stringValue == Name.metadata.stringValue {
                // The reference reader takes null for none.
                metadata = try container.decodeIfPresent([String: String].self, forKey: name) ?? [:]
            } else {
                entries[name.stringValue] = try container.decode(Entry.self, forKey: name)
            }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        if !metadata.isEmpty { try container.encode(metadata, forKey: Name.metadata) }
        for (name, entry) in entries { try container.encode(entry, forKey: Name(stringValue: name)) }
    }
}
