import FileIO
import Foundation
import TestSupport
import Testing

/// What `scripts/lib/check_imports.py` and `check_comments.py` find in packages that are made for them.
@Suite(.enabled(if: ProgramRun.has("python3"))) struct LintTests {
    /// Targets as `swift package dump-package` describes them: name, kind and dependencies.
    private typealias Target = (name: String, type: String, dependencies: [String])

    private func faults(_ targets: [Target], _ files: [String: String]) throws -> [String] {
        try withTemporaryDirectory { directory in
            for (path, text) in files {
                let file = URL(fileURLWithPath: "\(directory)/\(path)")
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: file, atomically: false, encoding: .utf8)
            }
            let descriptions = targets.map { target -> [String: Any] in
                let dependencies = target.dependencies.map { ["byName": [$0, NSNull()]] }
                return ["name": target.name, "type": target.type, "dependencies": dependencies]
            }
            let package = try JSONSerialization.data(withJSONObject: ["targets": descriptions])
            try package.write(to: URL(fileURLWithPath: "\(directory)/package.json"))
            let check = "\(Repository.root)/scripts/lib/check_imports.py"
            let run = try script("sh", ["-c", "cd '\(directory)' && python3 '\(check)' <package.json"])
            let lines = run.output.split(separator: "\n").map(String.init)
            #expect(run.status == (lines.isEmpty ? 0 : 1) && run.diagnosis.isEmpty, "\(run.diagnosis)")
            return lines
        }
    }

    @Test func aPackageInOrderHasNoFault() throws {
        let found = try faults(
            [
                ("Low", "regular", []), ("High", "regular", ["Low", "Yams"]), ("HighTests", "test", ["High"]),
                ("tool", "executable", ["High"]), ("ToolTests", "test", ["tool"]),
            ],
            [
                "Sources/Low/Low.swift": "import Foundation\n",
                "Sources/High/High.swift": "public import struct Low.Value\n@preconcurrency import Yams\n",
                // Neither text nor comment is an import, and a test may look at what its module is made of.
                "Tests/HighTests/Tests.swift": """
                @testable import High
                import Low
                let text = \"""
                    import tool
                    \"""
                /*
                import tool
                */

                """,
                "Sources/tool/Main.swift": "import High\n", "Tests/ToolTests/Tests.swift": "import Testing\n",
            ])
        #expect(found == [])
    }

    @Test func faultsAreNamed() throws {
        let found = try faults(
            [("Low", "regular", ["High"]), ("High", "regular", ["Low", "Yams"]), ("Other", "regular", [])],
            [
                "Sources/Low/Low.swift": "import Foundation\nimport High\n", "Sources/High/High.swift": "import Low\n",
                "Sources/Other/Other.swift": "// import Low\n\nimport Yams\nimport Other\n",
            ])
        #expect(
            found == [
                "Package.swift: Low depends on High, which stands below it in the list",
                "Package.swift: Low depends on High, which depends on Low",
                "Package.swift: High depends on Low, which depends on High",
                "Package.swift: High declares Yams and imports it nowhere",
                "Sources/Other/Other.swift:3: imports Yams, which Other does not declare in Package.swift",
                "Sources/Other/Other.swift:4: imports its own module",
            ])
    }

    /// Lines and texts of what `check_comments.py` finds in one file of a module.
    private func commentFaults(_ text: String) throws -> [String] {
        try withTemporaryDirectory { directory in
            let module = "\(directory)/Sources/Low"
            try FileManager.default.createDirectory(atPath: module, withIntermediateDirectories: true)
            try text.write(toFile: "\(module)/Low.swift", atomically: false, encoding: .utf8)
            let check = "\(Repository.root)/scripts/lib/check_comments.py"
            let run = try script("sh", ["-c", "cd '\(directory)' && python3 '\(check)'"])
            let lines = run.output.split(separator: "\n").map { String($0.dropFirst("Sources/Low/Low.swift:".count)) }
            #expect(run.status == (lines.isEmpty ? 0 : 1) && run.diagnosis.isEmpty, "\(run.diagnosis)")
            return lines
        }
    }

    @Test func aDocumentedModuleHasNoFault() throws {
        let found = try commentFaults(
            #"""
            /// A shape with an area.
            public protocol Shape {
                /// The area, mm².
                var area: Double { get }
            }

            /// A square.
            public struct Square: Shape, CustomStringConvertible {
                /// The side, mm.
                @usableFromInline var side: Double
                private let name = "/* \(1 + (2)) } "
                let a, b: Int

                // The protocol's comments serve.
                public var area: Double { side * side }
                public var description: String { name }

                /// Makes a square.
                public init(
                    side: Double
                ) {
                    let (x, y) = (side, side)
                    self.side = max(x, y)
                }
            }

            """#)
        #expect(found == [])
    }

    @Test func undocumentedDeclarationsAreNamed() throws {
        let found = try commentFaults(
            """
            public struct Square {
                /// Of its number.
                public var side: Double
                public var color: Int
                /// The corners.
                let left, right: Int

                /// Nothing is declared here.

                func area() -> Double {
                    let area = side * side
                    return area
                }
            }

            /// A direction.
            public enum Direction {
                case up, down
            }

            extension Square {
                public static func unit() -> Square { Square() }
            }

            """)
        #expect(
            found == [
                "1: a public declaration without a comment: struct Square {",
                "2: a comment that goes on from a name instead of naming its subject: Of its number.",
                "4: a public declaration without a comment: var color: Int",
                "6: one comment for several declarations: let left, right: Int",
                "8: a comment that documents nothing: Nothing is declared here.",
                "18: a public declaration without a comment: case up, down",
                "18: one comment for several declarations: case up, down",
                "22: a public declaration without a comment: func unit() -> Square { Square() }",
            ])
    }
}
