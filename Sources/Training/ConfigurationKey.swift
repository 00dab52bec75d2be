// A key of the configuration: one entry in one table, from which everything else that knows the key is made.

import FileIO
import Yams

/// Whether a resumed run may have another value of a key.
enum ResumeRule: Sendable {
    /// A value that determines the weights: a resumed run needs the value that it was started with.
    case fixed
    /// A value that does not change the weights: it may be another one at every resume.
    case free
}

/// One key of a configuration, or a group of keys in braces.
struct ConfigurationKey<Root>: Sendable {
    /// The key's only spelling, as it stands in YAML.
    let name: String
    /// The property that holds the value.
    let path: PartialKeyPath<Root> & Sendable
    /// The key's meaning and the values it may have, for lists of all keys.
    let meaning: String
    /// The names of a group's keys; empty for a key that has a value.
    let members: [String]
    /// The form of the value where an option gives it; of a group's keys, by their names.
    let form: ConfigurationForm
    let memberForms: [String: ConfigurationForm]
    /// Takes the value from a node.
    ///
    /// - Throws: `InputError` that names the place, what stands there and what was expected.
    let read: @Sendable (Node, ConfigurationSource, inout Root) throws -> Void
    /// The value as YAML on one line.
    let yaml: @Sendable (Root) -> String
    /// The first value that is not allowed: its key, with the group's before it, and what is.
    let fault: @Sendable (Root) -> (key: String, text: String)?
    /// The first key by which a resumed run would train other weights.
    let difference: @Sendable (Root, Root) -> String?

    /// A key with a value.
    ///
    /// - Parameters:
    ///   - name: The spelling in YAML.
    ///   - path: The property that holds the value.
    ///   - kind: The values that the key may have.
    ///   - resume: Whether a resumed run may have another value.
    ///   - meaning: The effect of the key, in a few words.
    init<Value>(
        _ name: String, _ path: WritableKeyPath<Root, Value> & Sendable, _ kind: ConfigurationKind<Value>,
        _ resume: ResumeRule, _ meaning: String
    ) {
        self.name = name
        self.path = path
        self.meaning = meaning + kind.note
        members = []
        (form, memberForms) = (kind.form, [:])
        read = { node, source, root in
            try source.requireNoTag(node, name)
            guard let value = kind.read(node) else {
                let found = node.scalar?.string ?? (node.sequence == nil ? "a group" : "a list")
                throw source.error(at: node.mark, name, "\(found), expected \(kind.expected)")
            }
            root[keyPath: path] = value
        }
        yaml = { kind.write($0[keyPath: path]) }
        fault = { root in kind.fault(root[keyPath: path]).map { (name, $0) } }
        difference = { a, b in
            resume == .fixed && kind.write(a[keyPath: path]) != kind.write(b[keyPath: path]) ? name : nil
        }
    }

    /// A group of keys: `augment: {flip: true, scale: false}`.
    ///
    /// - Parameters:
    ///   - name: The spelling in YAML.
    ///   - path: The property that holds all their values.
    ///   - keys: The group's keys.
    init<Group>(
        group name: String, _ path: WritableKeyPath<Root, Group> & Sendable, _ keys: [ConfigurationKey<Group>]
    ) {
        self.name = name
        self.path = path
        meaning = keys.map { "\($0.name): \($0.meaning)" }.joined(separator: "; ")
        members = keys.map(\.name)
        form = .structure
        memberForms = Dictionary(uniqueKeysWithValues: keys.map { ($0.name, $0.form) })
        read = { node, source, root in
            guard let mapping = node.mapping else {
                let form = keys.map { "\($0.name): …" }.joined(separator: ", ")
                throw source.error(at: node.mark, name, "expected {\(form)}")
            }
            try keys.read(mapping, source.inside(name), into: &root[keyPath: path])
        }
        yaml = { root in
            "{" + keys.map { "\($0.name): \($0.yaml(root[keyPath: path]))" }.joined(separator: ", ") + "}"
        }
        fault = { root in
            keys.lazy.compactMap { $0.fault(root[keyPath: path]) }.first.map { ("\(name).\($0.key)", $0.text) }
        }
        difference = { a, b in
            keys.lazy.compactMap { $0.difference(a[keyPath: path], b[keyPath: path]) }.first.map { "\(name).\($0)" }
        }
    }
}

/// The source of a configuration's text, and the group in it that is being read.
struct ConfigurationSource {
    /// The file as the user gave it, or the option.
    let file: String
    /// Whether messages name lines: those of an option's value tell nothing.
    var hasLines = true
    /// The groups around, each with a dot after it.
    var prefix = ""

    /// The place within a group.
    func inside(_ group: String) -> Self {
        ConfigurationSource(file: file, hasLines: hasLines, prefix: "\(prefix)\(group).")
    }

    /// Refuses a value that YAML takes for a tag of nothing: `initial_weights: !x` would be null.
    func requireNoTag(_ node: Node, _ key: String) throws {
        guard node.scalar != nil, !node.tag.rawValue.hasPrefix("tag:yaml.org,2002:") else { return }
        throw error(at: node.mark, key, "\(node.tag) is a tag of YAML's, expected a value; quote it to mean the text")
    }

    /// An error at a key.
    func error(at mark: Mark?, _ key: String, _ problem: String) -> InputError {
        let line = hasLines ? mark.map { "line \($0.line), " } : nil
        return InputError(file, at: (line ?? "") + prefix + key, problem)
    }
}

extension Array {
    /// Takes the values of all keys that a mapping has.
    ///
    /// - Throws: `InputError` for an unknown key, or a value of another kind than its key's.
    func read<Root>(_ mapping: Node.Mapping, _ source: ConfigurationSource, into root: inout Root) throws
    where Element == ConfigurationKey<Root> {
        for (node, _) in mapping where !contains(where: { $0.name == node.string }) {
            throw unknown(node, source)
        }
        for key in self {
            if let node = mapping[key.name] { try key.read(node, source, &root) }
        }
    }

    /// An error that names the key meant, where one is near.
    private func unknown<Root>(_ node: Node, _ source: ConfigurationSource) -> InputError
    where Element == ConfigurationKey<Root> {
        let name = node.string ?? "?"
        let place = source.hasLines ? node.mark.map { "line \($0.line)" } : nil
        let all = "`luna train --print-config` shows all keys"
        // Only names short enough to be a typing error are compared: the time grows with the length.
        guard name.utf8.count <= 64 else {
            return InputError(
                source.file, at: place, "an unknown key of \(name.utf8.count) bytes", remedy: all)
        }
        let nearest = map(\.name).min { editDistance($0, name) < editDistance($1, name) } ?? ""
        return InputError(
            source.file, at: place, "unknown key \(source.prefix)\(name)",
            remedy: editDistance(nearest, name) <= Swift.max(2, name.count / 3)
                ? "did you mean \(source.prefix)\(nearest)?" : all)
    }
}

/// The number of characters to change, add or remove to make one word of the other (Levenshtein).
func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for i in a.indices {
        var previous = row[0]
        row[0] = i + 1
        for j in b.indices {
            let current = row[j + 1]
            row[j + 1] = min(previous + (a[i] == b[j] ? 0 : 1), row[j] + 1, current + 1)
            previous = current
        }
    }
    return row[b.count]
}
