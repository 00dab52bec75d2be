import Foundation

/// Where the repository lies whose tests run.
public enum Repository {
    /// The repository's directory.
    public static let root: String =
        // Tests/TestSupport/Repository.swift
        (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }.path

    /// The path of a file in a test module's folder `Fixtures`.
    ///
    /// - Parameter tests: The module, such as `CTTests`; by default the one that asks.
    public static func fixture(_ name: String, in tests: String = #fileID) -> String {
        "\(root)/Tests/\(tests.prefix { $0 != "/" })/Fixtures/\(name)"
    }

    /// A fixture in JSON, decoded.
    ///
    /// - Throws: What reading and decoding throw.
    public static func fixture<Value: Decodable>(
        _ name: String, in tests: String = #fileID, as type: Value.Type
    ) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: fixture(name, in: tests))))
    }
}
