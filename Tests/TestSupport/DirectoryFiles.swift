import Foundation

/// Reads all files in a directory and in those below it: their bytes, by path from there.
public func filesBelow(_ directory: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
        let file = URL(fileURLWithPath: "\(directory)/\(name)")
        if try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
            files[name] = try Data(contentsOf: file)
        }
    }
    return files
}
