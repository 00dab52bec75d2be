import FileIO

/// An element of an XML document.
struct XMLNode: Sendable {
    /// The name without a namespace's prefix.
    var name: String
    /// The line in which it begins, from 1.
    var line: Int
    /// The text in it behind its last child, without blanks at its ends.
    var text = ""
    /// The elements in it, in order.
    var children: [XMLNode] = []

    /// The children of a name.
    func all(_ name: String) -> [XMLNode] { children.filter { $0.name == name } }
    /// The first child of a name.
    func first(_ name: String) -> XMLNode? { children.first { $0.name == name } }
}

/// A reader of the XML that lists are written in: elements and text. Attributes are passed over, and a document type is
/// refused, so that there is no entity but those five that XML knows, and nothing that leads to another file.
struct XMLReader {
    private let bytes: [UInt8]
    private let file: String
    private var position = 0
    private var line = 1

    /// Deeper than any list, and what frees a tree does so level by level.
    private static let depthLimit = 64

    private init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// Reads a document.
    ///
    /// - Returns: Its outermost element.
    /// - Throws: `InputError` naming the line; `FileError` where reading fails.
    static func root(of path: String) throws -> XMLNode {
        var reader = XMLReader(try FileContent.bytes(path, limit: ListContent.sizeLimit), file: path)
        return try reader.document()
    }

    /// Reads the name of a document's outermost element.
    ///
    /// - Throws: `InputError` where none begins; `FileError` where reading fails.
    static func rootName(_ path: String) throws -> String {
        var reader = XMLReader(try FileContent.prefix(path, count: 1 << 16), file: path)
        try reader.skipMiscellany()
        return try reader.tagName()
    }

    private mutating func document() throws -> XMLNode {
        try skipMiscellany()
        var open: [XMLNode] = []
        var text: [UInt8] = []
        repeat {
            guard position < bytes.count else {
                throw error("the file ends within \(open.last.map { "<\($0.name)> of line \($0.line)" } ?? "nothing")")
            }
            guard bytes[position] == UInt8(ascii: "<") else {
                if open.isEmpty { throw error("text outside of elements") }
                text.append(contentsOf: try characters())
                continue
            }
            if skip("<!--") {
                try skip(past: "-->")
            } else if skip("<![CDATA[") {
                let start = position
                try skip(past: "]]>")
                text += bytes[start..<position - 3]
            } else if skip("<?") {
                try skip(past: "?>")
            } else if skip("</") {
                let name = try name()
                guard var node = open.popLast(), node.name == name else {
                    throw error("</\(name)> closes nothing that is open")
                }
                skipBlanks()
                guard skip(">") else { throw error("</\(name) without >") }
                node.text = Self.trimmed(text)
                text = []
                guard !open.isEmpty else { return try last(node) }
                open[open.count - 1].children.append(node)
            } else {
                try begin(&open)
                text = []
                if open.count == 1, bytes[position - 2] == UInt8(ascii: "/") { return try last(open[0]) }
                if open.count > 1, bytes[position - 2] == UInt8(ascii: "/"), let node = open.popLast() {
                    open[open.count - 1].children.append(node)
                }
            }
        } while true
    }

    /// Reads a tag that begins an element, or is a whole one.
    private mutating func begin(_ open: inout [XMLNode]) throws {
        let start = line
        open.append(XMLNode(name: try tagName(), line: start))
        guard open.count <= Self.depthLimit else {
            throw error("elements within elements more than \(Self.depthLimit) deep")
        }
        while position < bytes.count {
            let byte = bytes[position]
            advance()
            if byte == UInt8(ascii: ">") { return }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                while position < bytes.count, bytes[position] != byte { advance() }
                if position < bytes.count { advance() }
            } else if byte == UInt8(ascii: "<") {
                break
            }
        }
        throw error("a tag that begins in line \(start) is not closed")
    }

    /// Reads the begin of a tag.
    private mutating func tagName() throws -> String {
        guard skip("<") else { throw error("no element, expected XML") }
        if position < bytes.count, bytes[position] == UInt8(ascii: "!") {
            throw error("a document type or entity", remedy: "write the list without it: it is not followed")
        }
        return try name()
    }

    /// Returns the outermost element once nothing follows it.
    private mutating func last(_ node: XMLNode) throws -> XMLNode {
        try skipMiscellany()
        guard position == bytes.count else { throw error("more than one outermost element") }
        return node
    }

    private mutating func characters() throws -> [UInt8] {
        var text: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            if bytes[position] == UInt8(ascii: "&") {
                text += try reference().utf8
            } else {
                text.append(bytes[position])
                advance()
            }
        }
        return text
    }

    private mutating func reference() throws -> String {
        let start = position + 1
        guard let end = bytes[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw error("& without a name and ;")
        }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        position = end + 1
        let known = ["lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'"]
        if let text = known[name] { return text }
        let digits = name.dropFirst(name.hasPrefix("#x") ? 2 : 1)
        guard name.hasPrefix("#"), let code = UInt32(digits, radix: name.hasPrefix("#x") ? 16 : 10),
            let scalar = Unicode.Scalar(code)
        else { throw error("&\(name); is not known") }
        return String(Character(scalar))
    }

    /// Reads a name and returns it without a prefix.
    private mutating func name() throws -> String {
        let start = position
        while position < bytes.count, Self.isName(bytes[position]) { position += 1 }
        guard position > start else { throw error("< without the name of an element") }
        let name = bytes[start..<position]
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return String(decoding: local, as: UTF8.self)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: ":"), 128...255:
            true
        default: false
        }
    }

    /// Passes over blanks, comments and instructions.
    private mutating func skipMiscellany() throws {
        while true {
            skipBlanks()
            if skip("<?") {
                try skip(past: "?>")
            } else if skip("<!--") {
                try skip(past: "-->")
            } else {
                return
            }
        }
    }

    private mutating func skipBlanks() { while position < bytes.count, bytes[position] <= 32 { advance() } }

    private mutating func skip(_ text: StaticString) -> Bool {
        guard text.withUTF8Buffer({ bytes[position...].starts(with: $0) }) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    private mutating func skip(past text: StaticString) throws {
        let start = line
        while position < bytes.count {
            if skip(text) { return }
            advance()
        }
        throw error("what begins in line \(start) is not closed with \(text)")
    }

    private mutating func advance() {
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private static func trimmed(_ text: [UInt8]) -> String {
        guard let first = text.firstIndex(where: { $0 > 32 }), let last = text.lastIndex(where: { $0 > 32 }) else {
            return ""
        }
        return String(decoding: text[first...last], as: UTF8.self)
    }

    private func error(_ problem: String, remedy: String? = "download or write the file again") -> InputError {
        InputError(file, at: "line \(line)", problem, remedy: remedy)
    }
}
