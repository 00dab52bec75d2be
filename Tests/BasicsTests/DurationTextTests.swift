import Basics
import Testing

@Suite struct DurationTextTests {
    @Test(arguments: [
        (0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"),
        (86_399, "23 h 59 min"), (86_400, "1 d 00 h"), (277_200, "3 d 05 h"),
    ]) func timesForPeople(_ seconds: Double, _ text: String) {
        #expect(durationText(seconds) == text)
    }
}
