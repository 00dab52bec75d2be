// report.html: one self-contained page that a person opens and understands. The same input gives the same bytes: it
// holds no time and nothing of the machine.

import Basics
import Evaluation
import FileIO
import Mustache

/// The evaluation of a detector as a page.
public struct Report {
    /// A file, or a setting, that the result was made from.
    public struct Input: Hashable, Sendable {
        /// The role of the input, such as `annotations`.
        public var role: String
        /// The file's path, or the setting's value.
        public var value: String
        var bytes: Int?
        var crc32: UInt32?

        /// Names a setting.
        public init(_ role: String, _ value: String) {
            self.role = role
            self.value = value
        }

        /// Names a file, with its size and checksum.
        ///
        /// - Throws: `InputError` where there is no such file; `FileError`.
        public init(_ role: String, file: String) throws {
            self.init(role, file)
            bytes = FileContent.size(file)
            crc32 = try FileContent.crc32(file)
        }
    }

    /// The detectors that are compared; the page is about the first.
    public let comparison: Comparison
    /// Sentences that qualify the result.
    public var warnings: [String] = []
    /// The path of the list of excluded findings; nil where there was none.
    public var excluded: String?
    /// The files and settings that the result was made from.
    public var inputs: [Input] = []
    /// The version of luna; empty where it is unknown.
    public var version = ""
    /// The training that the first detector comes from.
    public var run: RunLog?
    /// Paths of clean volumes by series, for pictures.
    public var volumes: [String: String] = [:]

    var name: String { comparison.detectors.first?.name ?? "" }
    let result: EvaluationResult

    /// Creates a report on an evaluation.
    ///
    /// - Parameters:
    ///   - result: The result of the detector that the page is about.
    ///   - comparison: The detector, as the first, and others; nil where there are no others.
    public init(_ result: EvaluationResult, comparison: Comparison? = nil) {
        self.result = result
        self.comparison = comparison ?? Comparison([("detector", result)])
    }

    /// The name of the file that a report becomes.
    public static let fileName = "report.html"

    /// Writes `report.html` into a directory.
    ///
    /// - Throws: `InputError` where a clean volume cannot be read; `FileError`.
    public func write(to directory: String) throws {
        try AtomicFile.write(try page(), to: "\(directory)/\(Self.fileName)")
    }

    /// The page as HTML.
    ///
    /// - Throws: `InputError` where a clean volume cannot be read; `FileError`.
    public func page() throws -> String {
        var content: [String: Any] = ["style": PageStyle.text, "title": title]
        content["warnings"] = warnings.isEmpty ? nil : ["items": warnings.map { ["text": $0] }]
        content["results"] = resultsContent
        content["comparison"] = comparisonContent
        content["folds"] = foldsContent
        content["sizes"] = sizesContent
        content["training"] = trainingContent
        content["configuration"] = run?.configuration.map { ["text": $0] }
        content["cases"] = try casesContent()
        content["inputs"] = inputsContent
        return try MustacheTemplate(string: PageTemplate.text).render(content)
    }

    private var title: String {
        let cpm = "CPM \(Decimal.text(result.froc.cpm, places: 3))"
        return comparison.detectors.count > 1 ? "\(name): \(cpm)" : "Nodule detection: \(cpm)"
    }

    /// The inputs that the page was made from.
    private var inputsContent: [String: Any] {
        var all = inputs
        if !version.isEmpty { all.insert(Input("luna", version), at: 0) }
        return [
            "rows": all.map { input in
                [
                    "role": input.role, "value": input.value, "bytes": input.bytes.map { "\($0)" } ?? "",
                    "crc32": input.crc32.map { $0.zeroPadded(to: 8, radix: 16) } ?? "",
                ]
            }
        ]
    }
}
