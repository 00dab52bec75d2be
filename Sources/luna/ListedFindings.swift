import Annotations
import Basics
import CT
import Evaluation
import FileIO

/// The nodules that candidates are compared with, from a list of any form.
enum ListedFindings {
    /// Reads a list.
    ///
    /// - Parameters:
    ///   - path: The list.
    ///   - scans: The scans that are evaluated; nil where those count that candidates and nodules name.
    ///   - others: The scans of the candidates.
    ///   - what: What the scans are, for messages.
    /// - Returns: The nodules, and the sentence about scans of the list that are not evaluated and were not read.
    /// - Throws: `InputError` where the list is wrong, or about other scans altogether; `FileError`.
    static func read(
        _ path: String, scans: [String]?, or others: Set<String>, _ what: String
    ) throws -> (nodules: [Finding], outside: String?) {
        let list = try AnnotationList(contentsOf: path)
        // In LUNA16's own form, an unknown size is a negative one.
        if list.isLUNA16 { return (try ReferenceStandard.findings(path), nil) }
        var names = try list.series(among: scans ?? others.sorted())
        var outside: String?
        if let scans {
            let known = Set(scans)
            outside = try SeriesOverlap(of: path, names, with: known, what).note
            names.removeAll { !known.contains($0) }
        }
        var nodules = [[NoduleAnnotation]](repeating: [], count: names.count)
        let pool = ThreadPool(threads: ThreadPool.availableCores)
        try nodules.withUnsafeMutableBufferPointer { buffer in
            // Every item writes to its own place.
            nonisolated(unsafe) let places = buffer
            try pool.runThrowing(names.count) { item in
                places[item] = try list.nodules(of: names[item]) {
                    throw InputError(
                        path, "\(list.form) tells places in voxels of scans, which are not read here",
                        remedy: "give the nodules of these scans in LUNA16's form")
                }
            }
        }
        return (
            zip(names, nodules).flatMap { name, nodules in
                nodules.map {
                    Finding(
                        seriesUID: name, x: $0.center.x, y: $0.center.y, z: $0.center.z, diameter: $0.diameter)
                }
            }, outside
        )
    }
}
