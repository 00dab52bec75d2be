import Basics
import FileIO

/// The finding of the layout's folders and lists, which the archives of some mirrors nest in a folder of the same name
/// once or several times more: `subset0/subset0`, `CSVFILES/CSVFILES`, `LUNA16/LUNA16`.
extension LUNA16Layout {
    private static let nestingLimit = 4

    /// A folder and those in it that have its name.
    static func nested(_ folder: String) -> [String] {
        let given = Path.name(of: folder)
        let name = ["", ".", ".."].contains(given) ? FileContent.absoluteName(folder) : given
        var folders = [folder]
        while folders.count < nestingLimit, let last = folders.last, FileContent.isDirectory("\(last)/\(name)") {
            folders.append("\(last)/\(name)")
        }
        return folders
    }

    /// The folder above, and further ones as long as they have its name.
    static func above(_ path: String) -> [String] {
        var folders = [parent(of: path)]
        while folders.count < nestingLimit, let last = folders.last {
            let next = parent(of: last)
            folders.append(next)
            guard Path.name(of: next) == Path.name(of: last) else { break }
        }
        return folders
    }

    /// Returns the one of nested folders that holds scans or masks, with these; nil where none does.
    ///
    /// - Throws: `InputError` where two of them do, so that either could be meant.
    static func headers(nestedIn folder: String) throws -> (folder: String, headers: [String])? {
        guard FileContent.isDirectory(folder) else { return nil }
        let found = try nested(folder).map { ($0, try headers(in: $0)) }.filter { !$0.1.isEmpty }
        if found.count > 1 {
            throw InputError(
                folder,
                "holds \(Path.name(of: found[0].1[0])), and \(found[1].0) in it holds "
                    + Path.name(of: found[1].1[0]),
                remedy: "keep the files in one of the two folders")
        }
        return found.first
    }

    /// Finds the folder of masks in the nearest root.
    static func maskDirectory(in roots: [String]) throws -> String? {
        guard let folder = roots.map({ "\($0)/seg-lungs-LUNA16" }).first(where: FileContent.isDirectory) else {
            return nil
        }
        return try headers(nestedIn: folder)?.folder ?? folder
    }

    /// Finds the list of annotations in the nearest root.
    ///
    /// - Throws: `InputError` where a root holds two lists that differ.
    static func annotationsPath(in roots: [String]) throws -> String? {
        for root in roots {
            let lists = (nested("\(root)/CSVFILES") + [root]).map { "\($0)/annotations.csv" }
                .filter { FileContent.size($0) != nil }
            guard let first = lists.first else { continue }
            let content = lists.count > 1 ? try FileContent.bytes(first) : []
            for other in lists.dropFirst() where try FileContent.bytes(other) != content {
                throw InputError(
                    first, "another list than \(other)", remedy: "keep one of them, or choose with --annotations")
            }
            return first
        }
        return nil
    }

    /// The reason why a folder holds no scan, with what it holds instead.
    static func absence(in folder: String, given: String) throws -> InputError {
        let names = try FileContent.names(inDirectory: folder).filter { !$0.hasPrefix(".") }
        let files = names.filter { FileContent.size("\(folder)/\($0)") != nil }
        let endings = Dictionary(grouping: files) { Path.cutEnding(of: $0).ending.lowercased() }
            .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        var held = endings.prefix(4).map { ending, files in
            "\(files.count) file\(files.count == 1 ? "" : "s") "
                + (ending.isEmpty ? "without an ending" : "in \(ending)")
        }
        if endings.count > held.count { held.append("others") }
        if names.count > files.count {
            held.append("\(names.count - files.count) folder\(names.count - files.count == 1 ? "" : "s")")
        }
        let archive = files.first { [".zip", ".7z", ".tar", ".tgz", ".gz"].contains(Path.cutEnding(of: $0).ending) }
        let layout =
            "expected subset0/ … subset9/<seriesuid>.mhd, seg-lungs-LUNA16/<seriesuid>.mhd and "
            + "CSVFILES/annotations.csv in it, or one scan's .mhd"
        return InputError(
            given, "holds no scan" + (held.isEmpty ? "" : ", but \(held.joined(separator: ", "))"),
            remedy: archive.map { "unpack \($0); \(layout)" } ?? layout)
    }
}
