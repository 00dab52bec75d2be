/// A page of many small pictures of about the same size, with captions.
public struct ContactSheet: Sendable {
    /// A small picture with its caption.
    public struct Tile: Sendable {
        /// The picture.
        public var picture: Picture
        /// The text below the picture.
        public var caption: String
        /// The caption's colour.
        public var color: Color

        /// Makes a tile.
        public init(_ picture: Picture, caption: String, color: Color = Picture.ink) {
            self.picture = picture
            self.caption = caption
            self.color = color
        }
    }

    /// The number of tiles that a page holds at most.
    public static let tilesPerPage = 24

    /// The text above the tiles.
    public var title: String
    /// The meaning of the marks, in words; below the tiles.
    public var legend: String
    /// The tiles, row by row.
    public var tiles: [Tile]

    /// Makes a page.
    public init(title: String, legend: String = "", tiles: [Tile]) {
        self.title = title
        self.legend = legend
        self.tiles = tiles
    }

    /// Draws the page: tiles in rows, in as many columns as make it a little wider than high.
    ///
    /// - Precondition: There is at least one tile.
    public func picture() -> Picture {
        // Room for captions below small pictures.
        let width = max(220, tiles.map(\.picture.width).max() ?? 1)
        let cells = tiles.map {
            Picture.column(
                [$0.picture, Picture.text($0.caption, width: width, color: $0.color)], gap: 6)
        }
        let height = cells.map(\.height).max() ?? 1
        let columns = (1...cells.count).min { distance($0, width, height) < distance($1, width, height) } ?? 1
        let rows = stride(from: 0, to: cells.count, by: columns).map { start in
            Picture.row(Array(cells[start..<min(cells.count, start + columns)]), gap: 16)
        }
        let page = Picture.column(rows, gap: 16)
        let lineWidth = max(page.width, 600)
        var parts = [Picture.text(title, width: lineWidth), page]
        if !legend.isEmpty { parts.append(Picture.text(legend, width: lineWidth)) }
        return Picture.column(parts, gap: 14).framed()
    }

    /// Returns how far the page is from the wanted shape with this many columns, unused places counted.
    private func distance(_ columns: Int, _ width: Int, _ height: Int) -> Double {
        let rows = (tiles.count + columns - 1) / columns
        let ratio = Double(columns * (width + 16)) / Double(rows * (height + 16)) / 1.3
        return max(ratio, 1 / ratio) * Double(rows * columns) / Double(tiles.count)
    }
}
