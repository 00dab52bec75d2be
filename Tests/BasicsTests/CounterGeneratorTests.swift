import Testing

@testable import Basics

@Suite struct CounterGeneratorTests {
    /// Known answers of Philox4x32-10, from the authors' Random123 library.
    @Test func philoxKnownAnswers() {
        #expect(
            CounterGenerator.block((0, 0, 0, 0), key: (0, 0))
                == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = UInt32.max
        #expect(
            CounterGenerator.block((ones, ones, ones, ones), key: (ones, ones))
                == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            CounterGenerator.block(
                (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
                == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func sameCoordinatesSameNumbers() {
        var a = CounterGenerator(seed: 1, purpose: "a", 2, 3)
        var b = CounterGenerator(seed: 1, purpose: "a", 2, 3)
        var c = CounterGenerator(seed: 1, purpose: "a", 3, 2)
        var d = CounterGenerator(seed: 1, purpose: "b", 2, 3)
        let numbers = (0..<9).map { _ in a.next() }
        #expect(numbers == (0..<9).map { _ in b.next() })
        #expect(numbers != (0..<9).map { _ in c.next() })
        #expect(numbers != (0..<9).map { _ in d.next() })
    }

    @Test func distributions() {
        var generator = CounterGenerator(seed: 4, purpose: "distribution test")
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[generator.integer(in: 3..<10) - 3] += 1 }
        // Six standard deviations of a count are 560.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 560 })
        let mean = (0..<70_000).reduce(0.0) { sum, _ in sum + generator.uniform(-1, 3) } / 70_000
        #expect(abs(mean - 1) < 0.03)
        var order = Array(0..<100)
        generator.shuffle(&order)
        #expect(order != Array(0..<100) && order.sorted() == Array(0..<100))
    }
}
