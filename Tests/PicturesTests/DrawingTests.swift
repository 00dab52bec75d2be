import Testing

@testable import Pictures

@Suite struct DrawingTests {
    private let black = Color(grey: 0)
    private let white = Color(grey: 255)

    private func set(_ picture: Picture) -> Set<[Int]> {
        Set(
            (0..<picture.height).flatMap { y in
                (0..<picture.width).filter { picture[y, $0] != black }.map { [y, $0] }
            })
    }

    /// Every pixel's brightness against its distance from the circle.
    @Test(arguments: [(20.0, 25.0, 10.0), (20.5, 24.25, 13.7), (3, 3, 12), (20, 25, 0.4)])
    func aCircleIsWhereItShouldBe(y: Double, x: Double, radius: Double) {
        var picture = Picture(width: 50, height: 41, color: black)
        picture.circle(y: y, x: x, radius: radius, white, stroke: 2)
        for row in 0..<41 {
            for column in 0..<50 {
                let (dy, dx) = (Double(row) - y, Double(column) - x)
                let distance = abs((dy * dy + dx * dx).squareRoot() - radius)
                let expected = min(1, max(0, 1.5 - distance)) * 255
                #expect(abs(Double(picture[row, column].red) - expected) <= 0.51)
            }
        }
    }

    @Test func aDashedCircleHasGapsOnTheSameRing() {
        var (solid, dashed) = (
            Picture(width: 60, height: 60, color: black), Picture(width: 60, height: 60, color: black)
        )
        solid.circle(y: 30, x: 30, radius: 20, white)
        dashed.circle(y: 30, x: 30, radius: 20, white, dashed: true)
        let (whole, part) = (set(solid), set(dashed))
        #expect(part.isSubset(of: whole))
        #expect(part.count * 10 > whole.count * 4 && part.count * 10 < whole.count * 7)
    }

    /// Infinite loops and traps lurk in bounds.
    @Test(arguments: [1e300, -1e300, 1e12, -1e6])
    func whatLiesFarOutsideIsCutOff(place: Double) {
        var picture = Picture(width: 30, height: 20, color: black)
        picture.circle(y: place, x: 5, radius: 3, white)
        picture.circle(y: 10, x: place, radius: 3, white)
        picture.circle(y: 10, x: 10, radius: abs(place), white)
        picture.text("far", y: 500, x: -500, white)
        picture.draw(Picture(width: 5, height: 5, color: white), y: -7, x: 31)
        picture.fill(y: 25, x: 3, height: 4, width: 4, white)
        picture.outline(y: -50, x: -50, height: 10, width: 10, white)
        #expect(set(picture).isEmpty)
    }

    @Test func linesJoinTheirEnds() {
        var picture = Picture(width: 20, height: 12, color: black)
        picture.line(from: (2, 3), to: (2, 15), white)
        #expect(set(picture) == Set((3...15).map { [2, $0] }))
        picture.line(from: (4, 5), to: (10, 11), white)
        #expect((4...10).allSatisfy { picture[$0, $0 + 1] == white })
        var cross = Picture(width: 21, height: 21, color: black)
        cross.crosshair(y: 10, x: 10, size: 9, white)
        #expect(cross[10, 10] == black && cross[1, 10] == white && cross[10, 19] == white && cross[5, 5] == black)
    }

    /// A letter as it is drawn, dot by dot.
    @Test(arguments: [1, 3])
    func lettersStandWhereTheyAreDrawn(scale: Int) {
        var picture = Picture(width: 40, height: 40, color: black)
        picture.text("!F", y: 2, x: 4, white, scale: scale)
        let rows = ["#####", "#....", "#....", "####.", "#....", "#....", "#....", ".....", "....."]
        for (row, dots) in rows.enumerated() {
            for (column, dot) in dots.enumerated() {
                let (y, x) = (2 + row * scale, 4 + (6 + column) * scale)
                #expect(picture[y, x] == (dot == "#" ? white : black))
                #expect(picture[y + scale - 1, x + scale - 1] == (dot == "#" ? white : black))
            }
        }
    }

    /// All printable characters differ from one another, but for the blank nobody is blank, and others are question
    /// marks.
    @Test func everyCharacterHasItsLetter() {
        func drawn(_ text: String) -> Picture {
            var picture = Picture(width: 5, height: 9, color: black)
            picture.text(text, y: 0, x: 0, white)
            return picture
        }
        let pictures = (32...126).map { drawn(String(UnicodeScalar(UInt8($0)))) }
        #expect(Set(pictures).count == 95)
        #expect(set(pictures[0]).isEmpty)
        #expect(drawn("\u{7F}") == drawn("?") && drawn("é") == drawn("?") && drawn("\n") == drawn("?"))
    }

    @Test func textIsWrappedToItsWidth() {
        #expect(Picture.wrapped("one two three", characters: 7) == ["one two", "three"])
        #expect(Picture.wrapped("1.2.840.113", characters: 4) == ["1.2.", "840.", "113"])
        #expect(Picture.wrapped("a\n\nb", characters: 9) == ["a", "", "b"])
        let text = Picture.text("one two three", width: Picture.textWidth("one two", scale: 2), scale: 2)
        #expect(text.height == 2 * 11 * 2 && text.width == (7 * 6 - 1) * 2)
    }

    @Test func slicesAreEnlarged() {
        let grey: [UInt8] = [0, 100, 200, 40, 80, 120]
        let square = Picture(grey: grey, rows: 2, columns: 3, scale: 3)
        for y in 0..<6 { for x in 0..<9 { #expect(square[y, x].green == grey[y / 3 * 3 + x / 3]) } }
        // Linear: the middles of voxels keep their values, between two lies their mean, nothing beyond the outermost.
        let smooth = Picture(grey: grey, rows: 2, columns: 3, scale: 3, smooth: true)
        #expect(smooth[1, 4].red == 100 && smooth[4, 7].red == 120 && smooth[0, 0].red == 0)
        #expect(smooth[1, 2].red == 33 && smooth[1, 3].red == 67)
        #expect(smooth[2, 1].red == 13 && smooth[3, 1].red == 27)
    }

    @Test func pagesHoldTheirTiles() throws {
        let tiles = (0..<7).map { index in
            ContactSheet.Tile(
                Picture(width: 30, height: 20, color: Color(UInt8(index + 1), 0, 0)), caption: "tile \(index)")
        }
        let page = ContactSheet(title: "seven", tiles: tiles).picture()
        for index in 0..<7 {
            #expect(page.pixels.count { $0 == Color(UInt8(index + 1), 0, 0) } == 600)
        }
    }
}
