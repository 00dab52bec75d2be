/// The names in a JSON text's objects.
enum JSONNames {
    /// The first name that an object has twice, or that has an escape in it and so might be another in disguise.
    ///
    /// - Parameter json: A text that a JSON parser has accepted: what is between strings needs no second look.
    static func firstFault(_ json: ArraySlice<UInt8>) -> String? {
        // A list has no names, but its own level.
        var levels: [Set<String>] = []
        var text: String?
        var place = json.startIndex
        while place < json.endIndex {
            switch json[place] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): levels.append([])
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
            case UInt8(ascii: "\""):
                let start = place + 1
                place = start
                while place < json.endIndex, json[place] != UInt8(ascii: "\"") {
                    place += json[place] == UInt8(ascii: "\\") ? 2 : 1
                }
                text = String(decoding: json[start..<min(place, json.endIndex)], as: UTF8.self)
            case UInt8(ascii: ":"):
                // Behind a string: what came before it was a name.
                guard let name = text, let level = levels.indices.last else { return text ?? "" }
                if name.utf8.contains(UInt8(ascii: "\\")) || !levels[level].insert(name).inserted { return name }
            default: break
            }
            place += 1
        }
        return nil
    }
}
