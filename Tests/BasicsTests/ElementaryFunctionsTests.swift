import Testing

@testable import Basics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Our functions beside those of the C library, which are right to 0.52 units in the last place.
@Suite struct ElementaryFunctionsTests {
    /// The largest distance between two functions in units in the last place of the second.
    private func distance(
        _ range: ClosedRange<Double>, _ ours: (Double) -> Double, _ library: (Double) -> Double
    ) -> Double {
        var generator = CounterGenerator(seed: 1, purpose: "elementary functions test")
        return (0..<50_000).reduce(0) { largest, _ in
            let x = generator.uniform(range.lowerBound, range.upperBound)
            return max(largest, abs(ours(x) - library(x)) / library(x).ulp)
        }
    }

    @Test(arguments: [-1e-3...1e-3, -0.4...0.4, -1...1, -40...40, -700...700])
    func exponential(_ range: ClosedRange<Double>) {
        #expect(distance(range, Elementary.exp) { exp($0) } <= 1)
    }

    @Test(arguments: [0.999...1.001, 0.7...1.42, 0.5...2, 1e-9...100, 1e-300...1e300])
    func logarithm(_ range: ClosedRange<Double>) {
        #expect(distance(range, Elementary.log) { log($0) } <= 1)
    }

    @Test(arguments: [-1e-3...1e-3, -0.8...0.8, -3.2...3.2, -100...100, -1e6...1e6])
    func circular(_ range: ClosedRange<Double>) {
        #expect(distance(range, Elementary.cos) { cos($0) } <= 1)
        #expect(distance(range, Elementary.sin) { sin($0) } <= 1)
    }

    @Test func edges() {
        #expect(Elementary.exp(0) == 1 && Elementary.exp(-.infinity) == 0 && Elementary.exp(.infinity) == .infinity)
        #expect(Elementary.exp(709.78) == exp(709.78) && Elementary.exp(710) == .infinity)
        #expect(abs(Elementary.exp(-740) - exp(-740)) <= .leastNonzeroMagnitude && Elementary.exp(-746) == 0)
        #expect(Elementary.log(1) == 0 && Elementary.log(0) == -.infinity && Elementary.log(-1).isNaN)
        let least = Double.leastNonzeroMagnitude
        #expect(Elementary.log(.infinity) == .infinity && Elementary.log(least) == log(least))
        #expect(Elementary.cos(0) == 1 && Elementary.sin(0) == 0 && Elementary.cos(.pi) == -1)
        #expect(Elementary.cos(.pi / 2) == cos(.pi / 2) && Elementary.sin(.pi) == sin(.pi))
        for value in [Elementary.exp(.nan), Elementary.log(.nan), Elementary.sin(.nan), Elementary.cos(.infinity)] {
            #expect(value.isNaN)
        }
    }

    /// Bits that were computed once: on another processor they are the same.
    @Test func knownBits() {
        #expect(Elementary.exp(0.7).bitPattern == 4_611_716_986_771_507_591)
        #expect(Elementary.log(0.3).bitPattern == 13_831_473_067_500_349_217)
        #expect(Elementary.cos(2.5).bitPattern == 13_828_763_316_576_947_069)
        #expect(Elementary.sin(-20).bitPattern == 13_829_770_336_182_025_440)
    }
}
