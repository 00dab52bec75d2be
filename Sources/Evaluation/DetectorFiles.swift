// What is to be evaluated: one or more files of candidates under one name.

import Basics
import FileIO
import Foundation

/// A detector's candidates, in one file or in several, such as those of ten folds.
public struct DetectorFiles: Hashable, Sendable {
    /// The detector's name in tables.
    public var name: String
    /// The files, in the order given.
    public var paths: [String]

    /// Reads `[NAME=]PATH[,PATH...]`. A file whose path holds an equals sign or a comma is found where it exists; the
    /// name is by default that of the first file.
    ///
    /// - Throws: `UsageError` where a name or path is empty.
    public init(_ text: String) throws {
        if let paths = Self.existing(text) {
            self.init(name: Self.name(paths), paths: paths)
            return
        }
        var rest = Substring(text)
        var name: String?
        if let sign = text.firstIndex(of: "=") {
            name = String(text[..<sign])
            rest = text[text.index(after: sign)...]
        }
        let paths =
            Self.existing(String(rest)) ?? rest.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard name?.isEmpty != true, !paths.contains("") else {
            throw UsageError("--candidates is [NAME=]PATH[,PATH...], not \(text)")
        }
        self.init(name: name ?? Self.name(paths), paths: paths)
    }

    private init(name: String, paths: [String]) {
        self.name = name
        self.paths = paths
    }

    /// Reads several detectors, whose names must differ.
    ///
    /// - Throws: `UsageError` where two have one name, or a name or path is empty.
    public static func all(_ texts: [String]) throws -> [DetectorFiles] {
        let detectors = try texts.map { try DetectorFiles($0) }
        var seen: Set<String> = []
        for detector in detectors where !seen.insert(detector.name).inserted {
            throw UsageError(
                "two detectors are called \(detector.name); name them: --candidates one=\(detector.paths[0])")
        }
        return detectors
    }

    /// Finds the existing files that a list joined by commas names, each as short as can be; nil where a part names
    /// none.
    private static func existing(_ list: String) -> [String]? {
        let parts = list.split(separator: ",", omittingEmptySubsequences: false)
        var paths: [String] = []
        var start = 0
        while start < parts.count {
            let end = (start..<parts.count).first {
                FileContent.size(parts[start...$0].joined(separator: ",")) != nil
            }
            guard let end else { return nil }
            paths.append(parts[start...end].joined(separator: ","))
            start = end + 1
        }
        return paths
    }

    private static func name(_ paths: [String]) -> String {
        let file = Path.name(of: paths[0])
        return file.lowercased().hasSuffix(".csv") ? String(file.dropLast(4)) : file
    }

    /// Reads the candidates of all files, in the files' order.
    ///
    /// - Returns: The candidates, and the series that more than one file has candidates of, which are likely to be
    ///   counted twice.
    /// - Throws: `InputError` naming file, line and column; `FileError` where reading fails.
    public func read() throws -> (candidates: [Candidate], repeated: [String]) {
        var candidates: [Candidate] = []
        var seen: Set<String> = []
        var repeated: Set<String> = []
        for path in paths {
            let found = try CandidateFile.read(path)
            let series = Set(found.map(\.seriesUID))
            repeated.formUnion(series.intersection(seen))
            seen.formUnion(series)
            candidates += found
        }
        return (candidates, repeated.sorted())
    }
}
