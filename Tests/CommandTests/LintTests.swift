import FileIO
import Foundation
import TestSupport
import Testing

/// `scripts/lib/check_imports.py`: what it finds in a package that is made for it.
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
}
