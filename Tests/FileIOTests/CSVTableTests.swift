import TestSupport
import Testing

@testable import FileIO

@Suite struct CSVTableTests {
    private func table(_ text: String, _ columns: [String] = ["id", "x"], hasHeader: Bool = true) throws -> CSVTable {
        try CSVTable(bytes: Array(text.utf8), file: "list.csv", wanted: columns, hasHeader: hasHeader)
    }

    @Test(arguments: [
        "id,x\na,1\nb,2\n", "id,x\r\na,1\r\nb,2\r\n", "id,x\ra,1\rb,2", "\u{FEFF}x,more,id\n1,?,a\n2,?,b",
    ])
    func readsWhateverEndsTheLines(text: String) throws {
        let table = try table(text)
        #expect(table.count == 2)
        #expect((0..<2).map { table.text($0, "id") } == ["a", "b"])
        #expect(try (0..<2).map { try table.number($0, "x") } == [1, 2])
        #expect((0..<2).map { table.line($0) } == [2, 3])
    }

    @Test func passesOverBlankLinesAndKeepsLineNumbers() throws {
        let table = try table("\n\nid , x\n\n a b ,\t-2.5e1 \n  \n\"q\"\"1, \n2\" , 7\nlast,8")
        #expect((0..<table.count).map { table.text($0, "id") } == ["a b", "q\"1, \n2", "last"])
        #expect(try table.number(0, "x") == -25)
        #expect((0..<table.count).map { table.line($0) } == [5, 7, 9])
        #expect(table.header == ["id", "x"])
    }

    @Test func readsATableWithoutHeader() throws {
        #expect(try table("007\n8\n", ["id"], hasHeader: false).text(0, "id") == "007")
        #expect(try table("id\n007\n8\n", ["id"], hasHeader: false).count == 2)
        #expect(try table("", ["id"], hasHeader: false).count == 0)
    }

    /// What is written is read, also a quote that a combining mark follows.
    @Test(arguments: [
        "plain", "a,b", "say \"a\"", "\"", "\"\"", "\"\"\"a,", "two\nlines", "cr\rlf\r\n", " blank before", "after ",
        "\ttab\t", " ", "\"\u{301},", "Lunge (große), 3 mm", "#1", "'=1+1'",
    ])
    func readsWhatItWrites(name: String) throws {
        let rows = [["id", "x", "note"], [name, "1", name], ["z", "2", ""]]
        let text = rows.map(CSVTable.line).joined()
        let table = try table(text, ["id", "x", "note"])
        #expect(table.count == 2 && table.text(0, "id") == name && table.text(0, "note") == name)
        #expect(table.text(0, "id").utf8.elementsEqual(name.utf8) && table.text(1, "id") == "z")
    }

    @Test func quotesOnlyWhatNeedsIt() {
        #expect(CSVTable.line(["1.3.6", "-2.5", "a b"]) == "1.3.6,-2.5,a b\n")
        #expect(CSVTable.line(["a,b", "c\"d"]) == "\"a,b\",\"c\"\"d\"\n")
    }

    @Test func allowsTrailingCommasOnly() throws {
        #expect(try table("id,x\na,1,,\n").count == 1)
        #expect(throws: InputError("list.csv", at: "line 2", "3 fields, expected 2 (id,x)")) {
            try table("id,x\na,1,5\n")
        }
    }

    @Test(arguments: [
        ("", nil, "is empty"),
        ("id;x\na;1", "line 1", "no column id"),
        ("id,x,x\na,1,2", "line 1", "2 columns are named x"),
        ("id,x\na,1\nb\n", "line 3", "1 fields, expected 2 (id,x)"),
        ("id,x\na,\"1\n2,3\n", "line 2", "a quote that is opened here is never closed"),
        ("id,x\n\"a\"b,1\n", "line 2", "text after a closing quote, expected a comma"),
        ("i\0d\0", nil, "holds binary data or UTF-16"),
    ])
    func namesWhatIsWrong(text: String, place: String?, problem: String) throws {
        let error = #expect(throws: InputError.self) { try table(text) }
        #expect(error?.file == "list.csv")
        #expect(error?.place == place)
        #expect(error?.problem == problem)
    }

    @Test(arguments: ["one", "", "nan", "inf", "1e999", "1 2"])
    func numbersAreFinite(text: String) throws {
        let table = try table("id,x\na,\(text)\n")
        let error = #expect(throws: InputError.self) { try table.number(0, "x") }
        #expect(error?.place == "line 2, x")
    }

    @Test func readsFromAFile() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write("id,x\na,1\n", to: "\(directory)/t.csv")
            #expect(try CSVTable(contentsOf: "\(directory)/t.csv", requiring: ["x"]).number(0, "x") == 1)
            #expect(throws: InputError("\(directory)/none.csv", "no such file")) {
                try CSVTable(contentsOf: "\(directory)/none.csv", requiring: ["x"])
            }
        }
    }
}
