// The configuration as YAML: reading with every fault named, overriding single keys, and printing with explanations.

import Basics
import Detection
import Exchange
import FileIO
import Yams

extension TrainingConfiguration {
    /// Reads a configuration.
    ///
    /// - Parameters:
    ///   - path: A YAML file, or nil for the defaults.
    ///   - overrides: `KEY=VALUE`; a dot leads into a group (`augment.flip=false`). Texts are taken as they stand, but
    ///     for `null`, which stands for no text; groups are YAML.
    /// - Throws: `InputError` naming the file or `--set`, the key and what was expected.
    public static func read(_ path: String?, overrides: [String] = []) throws -> TrainingConfiguration {
        var root = Node.Mapping([])
        if let path {
            root = try mapping(text: try text(path), file: path)
            _ = try decode(root, ConfigurationSource(file: path))
        }
        for override in overrides { try apply(override, to: &root) }
        // Keys that only go together may come in any order.
        let configuration = try decode(root, ConfigurationSource(file: path ?? "--set"))
        if let fault = configuration.fault {
            let culprit = overrides.last { $0.hasPrefix("\(fault.key)=") }.map { "--set \($0)" }
            throw InputError(culprit ?? path ?? "--set", at: fault.key, fault.text)
        }
        return configuration
    }

    /// Reads a configuration from YAML text, such as a checkpoint holds.
    ///
    /// - Parameter file: The text's origin, for messages.
    /// - Throws: `InputError` naming the file, the key and what was expected.
    public static func parse(_ text: String, file: String) throws -> TrainingConfiguration {
        let configuration = try decode(try mapping(text: text, file: file), ConfigurationSource(file: file))
        if let fault = configuration.fault { throw InputError(file, at: fault.key, fault.text) }
        return configuration
    }

    private static func text(_ path: String) throws -> String {
        guard let text = String(validating: try FileContent.bytes(path, limit: 1 << 20), as: UTF8.self) else {
            throw InputError(path, "is not UTF-8 text")
        }
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    private static func mapping(text: String, file: String) throws -> Node.Mapping {
        do {
            guard let node = try node(text, file: file) else { return Node.Mapping([]) }
            guard let mapping = node.mapping else {
                throw InputError(file, "expected lines of the form `key: value`")
            }
            return mapping
        } catch let error as YamlError {
            // The message includes the faulty line, which may be the whole file.
            throw InputError(file, String("\(error)".prefix(300)))
        }
    }

    /// The YAML text's tree, or nil where there is nothing in it.
    ///
    /// Aliases of aliases make a small text stand for an endless tree, which the library walks to compare keys.
    private static func node(_ text: String, file: String) throws -> Node? {
        guard text.utf8.count(where: { $0 == UInt8(ascii: "*") }) <= 32 else {
            throw InputError(file, "more than 32 aliases (*), expected lines of the form `key: value`")
        }
        return try compose(yaml: text)
    }

    private static func apply(_ override: String, to root: inout Node.Mapping) throws {
        let file = "--set \(override)"
        guard let equals = override.firstIndex(of: "=") else { throw InputError(file, "expected KEY=VALUE") }
        let key = String(override[..<equals])
        let text = String(override[override.index(after: equals)...])
        let path = key.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let entry = keys.first { $0.name == path[0] }
        // An unset variable of the shell's must not mean null.
        guard !text.isEmpty else { throw InputError(file, at: key, "the value is empty", remedy: "null means none") }
        let value = try Self.value(text, path.count == 2 ? entry?.memberForms[path[1]] : entry?.form, file)
        if path.count == 2, let entry, !entry.members.isEmpty {
            var group = root[path[0]]?.mapping ?? Node.Mapping([])
            group[Node(path[1])] = value
            root[Node(path[0])] = Node.mapping(group)
        } else {
            root[Node(key)] = value
        }
        _ = try decode(root, ConfigurationSource(file: file, hasLines: false))
    }

    /// The node of an option's value.
    ///
    /// - Parameter form: The form of the key's values; nil for an unknown key.
    private static func value(_ text: String, _ form: ConfigurationForm?, _ file: String) throws -> Node {
        switch form {
        case .text: return Node(text, .implicit, text == "null" ? .plain : .doubleQuoted)
        case .word, nil:
            let words = text.split(separator: " ")
            return Node(words.count == 1 ? String(words[0]) : text, .implicit, .plain)
        case .structure:
            do { return try node(text, file: file) ?? "" } catch is YamlError {
                throw InputError(file, "the value is not YAML")
            }
        }
    }

    /// The values, of the right kinds; whether they are allowed and go together is another question.
    private static func decode(_ root: Node.Mapping, _ source: ConfigurationSource) throws -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        try keys.read(root, source, into: &configuration)
        // Once more over the preset's values, since the preset is known only now.
        configuration = TrainingConfiguration(preset: configuration.preset)
        try keys.read(root, source, into: &configuration)
        return configuration
    }

    /// The configuration as YAML, one key a line; with their meaning as comments where wanted.
    public func yaml(explained: Bool = false) -> String {
        let lines = Self.keys.map { key -> String in
            let line = "\(key.name): \(key.yaml(self))"
            guard explained else { return line }
            let needs = Self.rules.compactMap { $0.path == key.path ? $0.need() : nil }
            let comment = ([key.meaning] + needs).joined(separator: "; ")
            return line + String(repeating: " ", count: max(1, 36 - line.count)) + "# " + comment
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first key in which another configuration would train other weights.
    func firstDifference(from other: TrainingConfiguration) -> String? {
        Self.keys.lazy.compactMap { $0.difference(self, other) }.first
    }
}
