import Basics
import Testing

@Suite struct PathTests {
    @Test(arguments: [
        ("a/b.h5", "a"), ("b.h5", "."), ("/b.h5", "/"), ("/a/b", "/a"), ("a/b/", "a/b"), ("/", "/"), ("", "."),
    ])
    func directory(_ path: String, _ directory: String) { #expect(Path.directory(of: path) == directory) }

    @Test(arguments: [("a/b.h5", "b.h5"), ("b", "b"), ("/a/b//", "b"), ("/", ""), ("", ""), ("a/.", ".")])
    func name(_ path: String, _ name: String) { #expect(Path.name(of: path) == name) }

    @Test(arguments: [
        ("a.b/scan.nii.gz", "a.b/scan.nii", ".gz"), ("a.b/scan", "a.b/scan", ""), (".hidden", ".hidden", ""),
        ("a/.hidden", "a/.hidden", ""), ("a/.b.json", "a/.b", ".json"), ("t.", "t", "."),
    ])
    func ending(_ path: String, _ stem: String, _ ending: String) {
        #expect(Path.cutEnding(of: path) == (stem, ending))
    }

    @Test(arguments: [
        ("a/b.mhd", "c.raw", "a/c.raw"), ("b.mhd", "c.raw", "c.raw"), ("/b.mhd", "c.raw", "/c.raw"),
        ("a/b.mhd", "/d/c.raw", "/d/c.raw"), ("a/b.mhd", "d/c.raw", "a/d/c.raw"),
    ])
    func beside(_ file: String, _ name: String, _ path: String) { #expect(Path.beside(file, name) == path) }

    @Test(arguments: [("a/", "a"), ("a///", "a"), ("/", "/"), ("//", "/"), ("a", "a"), ("", "")])
    func trailingSlashes(_ path: String, _ expected: String) {
        #expect(Path.withoutTrailingSlashes(path) == expected)
    }

    @Test func zeroPadding() {
        #expect(42.zeroPadded(to: 8) == "00000042" && 123_456.zeroPadded(to: 4) == "123456")
        #expect(UInt32(0xAB).zeroPadded(to: 8, radix: 16) == "000000ab" && 0.zeroPadded(to: 1) == "0")
        #expect((-7).zeroPadded(to: 3) == "-007" && Int.min.zeroPadded(to: 0) == "-9223372036854775808")
    }
}
