import Basics
import Testing

@Suite struct MedianTests {
    @Test func theMiddleOne() {
        let none: [Double] = []
        #expect(none.median == nil && none.lowerMedian == nil)
        #expect([3.0].median == 3 && [3.0].lowerMedian == 3)
        #expect([5, 1, 2.0].median == 2 && [5, 1, 2.0].lowerMedian == 2)
        #expect([4, 1, 9, 2.0].median == 3 && [4, 1, 9, 2.0].lowerMedian == 2)
    }
}
