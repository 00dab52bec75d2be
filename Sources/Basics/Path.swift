/// Paths of files as texts: what their parts are, without asking the file system.
///
/// Paths stay texts, since that is what users give and messages name: `/` parts their components, and nothing is made
/// absolute, shortened or resolved.
public enum Path {
    /// The directory that a file is in: `.` for a bare name, `/` for a name at the root.
    public static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component of a path, ignoring slashes at its end; empty where there is none, as in `/`.
    public static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }

    /// A path split before the extension of its last component: `a.b/scan.nii` into `a.b/scan` and `.nii`.
    ///
    /// The extension begins with the last dot. A name whose only dot is its first character has none.
    public static func cutEnding(of path: String) -> (stem: String, ending: String) {
        let name = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        guard let dot = path[name...].lastIndex(of: "."), dot > name else { return (path, "") }
        return (String(path[..<dot]), String(path[dot...]))
    }

    /// The path of a file that is named relative to another file's directory; an absolute name is the path itself.
    ///
    /// A bare `file` gives a bare path, so that it equals other paths made of the names that the user gave.
    public static func beside(_ file: String, _ name: String) -> String {
        guard !name.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return name }
        return file[...slash] + name
    }

    /// A path without the slashes at its end; `/` stays as it is.
    public static func withoutTrailingSlashes(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
