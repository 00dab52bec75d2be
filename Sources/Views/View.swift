import Basics
import CT
import FileIO
import Foundation
import Pictures

/// A picture to be made: the name of its file, and how it is drawn when its turn comes.
public struct View {
    /// The file's name with `.png`; made of letters, digits, points, hyphens and underscores.
    public var name: String
    /// The drawing of the picture.
    public var draw: () throws -> Picture

    /// Creates a view.
    ///
    /// - Parameters:
    ///   - name: The file's name without its ending; unfit characters are replaced.
    ///   - draw: Draws the picture when its turn comes.
    public init(_ name: String, draw: @escaping () throws -> Picture) {
        self.name = Self.fileName(name) + ".png"
        self.draw = draw
    }

    /// A text as the name of a file: other characters than those of a seriesuid become underscores, and it neither
    /// begins with a point nor is too long for a file system.
    static func fileName(_ text: String) -> String {
        let kept = text.unicodeScalars.map { scalar -> Character in
            let isFit =
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789.-_".unicodeScalars.contains(scalar))
            return isFit ? Character(scalar) : "_"
        }
        let name = String(kept.prefix(200))
        return name.isEmpty || name.hasPrefix(".") ? "_" + name : name
    }

    /// Views with names of their own: names that became alike, such as those of the series `a,b` and `a b`, get a
    /// number.
    public static func withDistinctNames(_ views: [View]) -> [View] {
        var taken: Set<String> = []
        return views.map { view in
            var (view, count) = (view, 1)
            let stem = view.name.dropLast(".png".count)
            while !taken.insert(view.name).inserted {
                count += 1
                view.name = "\(stem)-\(count).png"
            }
            return view
        }
    }

    /// A number with leading zeros, so that names sort.
    static func number(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Pages of a contact sheet; the name of each is numbered.
    static func pages(
        _ name: String, count: Int, title: String, legend: String,
        tile: @escaping (Int) throws -> ContactSheet.Tile
    ) -> [View] {
        let size = ContactSheet.tilesPerPage
        return (0..<(count + size - 1) / size).map { page in
            View("\(name)-\(number(page + 1))") {
                let places = page * size..<min(count, (page + 1) * size)
                let range = count > size ? ", \(places.lowerBound + 1) to \(places.upperBound) of \(count)" : ""
                return ContactSheet(title: title + range, legend: legend, tiles: try places.map(tile)).picture()
            }
        }
    }

    /// Refuses a volume whose pictures nobody could look at.
    ///
    /// - Throws: `InputError`.
    static func requireViewable(_ extent: ZYX<Int>, file: String, at place: String) throws {
        guard extent.array.allSatisfy({ 1...2048 ~= $0 }) else {
            throw InputError(file, at: place, "\(extent) voxels, expected at most 2048 along each axis")
        }
    }
}

/// The colours of marks.
enum Marks {
    static let nodule = Color(255, 210, 0)
    static let hit = Color(60, 220, 90)
    static let falsePositive = Color(255, 80, 70)
    static let finding = Color(90, 170, 255)
    static let positive = Color(60, 220, 90)
    static let ignored = Color(255, 150, 40)
    static let negative = Color(90, 170, 255)
}

/// Text in captions.
enum Caption {
    /// A length in mm with one decimal.
    static func millimetres(_ value: Double) -> String { String(format: "%.1f", value) }

    static func place(_ voxel: ZYX<Double>) -> String {
        "z \(millimetres(voxel.z)) y \(millimetres(voxel.y)) x \(millimetres(voxel.x))"
    }

    static func place(_ point: WorldPoint) -> String {
        "x \(millimetres(point.x)) y \(millimetres(point.y)) z \(millimetres(point.z)) mm"
    }

    /// The end of a seriesuid, which tells scans apart: all of LUNA16's begin alike.
    static func short(_ seriesUID: String) -> String {
        seriesUID.count > 14 ? "...\(seriesUID.suffix(11))" : seriesUID
    }

    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
