import Basics
import CT
import FileIO
import Foundation

/// The slices of a series in order, which lie on one regular grid.
struct SliceStack: Sendable {
    /// The slices from the first to the last along their normal.
    let slices: [Slice]
    let geometry: VolumeGeometry
    /// The number of images of the series that lie across the others: scouts.
    let scoutCount: Int
    /// The number of images that repeat another one.
    let copyCount: Int

    /// The distance below which slices lie at the same position, mm.
    private static let samePosition = 1e-3
    /// The distance of a position from the regular grid that is allowed, in slice distances along the normal and voxels
    /// across it.
    private static let gridTolerance = 0.5
    /// The difference of direction cosines and spacings of a series' slices that the rounding of decimal strings
    /// explains.
    private static let agreement = 1e-3
    /// The cosine of the turn from the others below which an image is a scout; one turned by less is a fault.
    private static let scoutCosine = 0.7
    /// The part of a series, one in so many, beyond which images that lie across are not one scan's scouts.
    private static let scoutPart = 4

    /// Puts slices in order.
    ///
    /// - Parameters:
    ///   - found: The images of a series, in any order.
    ///   - source: The folder, for messages.
    /// - Throws: `InputError` naming the files and positions, and the remedy; `FileError` where two files at one place
    ///   cannot be compared.
    init(_ found: [Slice], source: String) throws {
        do { try self.init(ordering: found, source: source) } catch var error as InputError {
            let numbers = found.map(\.acquisition)
            // Several acquisitions are a likely cause, unless the message is of them.
            guard Set(numbers).count > 1, error.place != Tag.acquisitionNumber.description else { throw error }
            error.problem += "; the series holds several acquisitions, AcquisitionNumber \(Self.list(numbers))"
            error.remedy = (error.remedy.map { "\($0); or " } ?? "") + "choose an acquisition with --acquisition"
            throw error
        }
    }

    private init(ordering found: [Slice], source: String) throws {
        let upright = try Self.withoutScouts(found)
        scoutCount = found.count - upright.count
        try Self.checkAgreement(upright)
        guard upright.count >= 2, let any = upright.first else {
            throw InputError(
                source, "one slice only, so that the slice distance is unknown", remedy: "give the whole series")
        }
        let normal = Self.normal(any)
        let places = upright.map { ($0, $0.position.dot(normal)) }.sorted {
            $0.1 != $1.1 ? $0.1 < $1.1 : $0.0.path < $1.0.path
        }
        let single = try Self.withoutCopies(places, source: source)
        copyCount = places.count - single.count
        guard single.count >= 2 else {
            throw InputError(
                source, "copies of one slice only, so that the slice distance is unknown",
                remedy: "give the whole series")
        }
        slices = single.map(\.0)
        try Self.checkGaps(single, source: source)
        try Self.checkGrid(single, normal: normal, source: source)

        // The first slice's frame, and the mean distance: as ITK has them.
        let (first, last) = (slices[0], slices[slices.count - 1])
        geometry = VolumeGeometry(
            extent: ZYX(slices.count, first.rows, first.columns),
            spacing: ZYX(
                (last.position - first.position).length / Double(slices.count - 1), first.rowSpacing,
                first.columnSpacing),
            origin: ZYX(first.position.z, first.position.y, first.position.x),
            orientation: [first.rowDirection, first.columnDirection, Self.normal(first)].flatMap { [$0.x, $0.y, $0.z] })
    }

    private static func normal(_ slice: Slice) -> PatientVector { slice.rowDirection.cross(slice.columnDirection) }

    private static func isAlike(_ a: Slice, _ b: Slice) -> Bool {
        (a.rowDirection - b.rowDirection).length < agreement
            && (a.columnDirection - b.columnDirection).length < agreement
    }

    /// Leaves out the few images that lie across the others.
    private static func withoutScouts(_ found: [Slice]) throws -> [Slice] {
        var groups: [[Slice]] = []
        for slice in found {
            if let index = groups.firstIndex(where: { isAlike($0[0], slice) }) {
                groups[index].append(slice)
            } else {
                groups.append([slice])
            }
        }
        guard groups.count > 1, let largest = groups.indices.max(by: { groups[$0].count < groups[$1].count }) else {
            return found
        }
        let main = groups[largest]
        for group in groups[..<largest] + groups[(largest + 1)...] {
            let isAcross = abs(normal(group[0]).dot(normal(main[0]))) < scoutCosine
            guard isAcross, group.count * scoutPart <= found.count else {
                throw InputError(
                    group[0].path, at: Tag.imageOrientationPatient.description,
                    "differs from that of \(main[0].path), in the same series",
                    remedy: "leave out the \(group.count) images that lie otherwise, or give the slices of one "
                        + "orientation in a folder of their own")
            }
        }
        return main
    }

    private static func hasGrid(_ slice: Slice, of other: Slice) -> Bool {
        slice.rows == other.rows && slice.columns == other.columns
            && abs(slice.rowSpacing - other.rowSpacing) <= agreement * other.rowSpacing
            && abs(slice.columnSpacing - other.columnSpacing) <= agreement * other.columnSpacing
    }

    private static func checkAgreement(_ slices: [Slice]) throws {
        // The odd one is named, wherever it stands.
        let groups = Dictionary(grouping: slices) {
            [Double($0.rows), Double($0.columns), $0.rowSpacing, $0.columnSpacing]
        }
        let usual = groups.max { ($0.value.count, $1.value[0].path) < ($1.value.count, $0.value[0].path) }?.value.first
        guard let usual, let odd = slices.first(where: { !hasGrid($0, of: usual) }) else { return }
        func refuse(_ tag: Tag, _ text: (Slice) -> String) -> InputError {
            InputError(
                odd.path, at: tag.description, "\(text(odd)), but \(text(usual)) in \(usual.path) of the same series",
                remedy: "leave out what does not belong to the scan")
        }
        if odd.rows != usual.rows { throw refuse(.rows) { "\($0.rows)" } }
        if odd.columns != usual.columns { throw refuse(.columns) { "\($0.columns)" } }
        throw refuse(.pixelSpacing) { "\($0.rowSpacing) x \($0.columnSpacing) mm" }
    }

    /// Counts acquisitions in words: `1 (39 images), 2 (40 images)`.
    static func list(_ acquisitions: [String]) -> String {
        let counts = Dictionary(acquisitions.map { ($0, 1) }, uniquingKeysWith: +)
        let ordered = counts.sorted { (Int($0.key) ?? .max, $0.key) < (Int($1.key) ?? .max, $1.key) }
        let names = ordered.prefix(20).map { "\($0.isEmpty ? "none" : $0) (\($1) image\($1 == 1 ? "" : "s"))" }
        return names.joined(separator: ", ") + (ordered.count > 20 ? ", …" : "")
    }

    /// Leaves out slices that repeat another one at the same place, voxel for voxel.
    ///
    /// - Throws: `InputError` that names all that lie at one place and differ, or the acquisitions that do.
    private static func withoutCopies(
        _ places: [(Slice, Double)], source: String
    ) throws -> [(Slice, Double)] {
        var single: [(Slice, Double)] = []
        var rivals: [((Slice, Double), (Slice, Double))] = []
        for place in places {
            guard let last = single.last, place.1 - last.1 < samePosition else {
                single.append(place)
                continue
            }
            if try !PixelData.areAlike(last.0, place.0) { rivals.append((last, place)) }
        }
        guard let (below, above) = rivals.first else { return single }
        let acquisitions = places.map(\.0.acquisition)
        guard Set(acquisitions).count == 1 || rivals.contains(where: { $0.0.acquisition == $1.0.acquisition }) else {
            throw InputError(
                source, at: Tag.acquisitionNumber.description,
                "several acquisitions at the same places: \(list(acquisitions))",
                remedy: "choose one with --acquisition")
        }
        var problem =
            "the same place as \(below.0.path), \(text(below.1)) mm along the slices' normal, but other voxels"
        let others = rivals.dropFirst().map { "\(Path.name(of: $1.0.path)) and \(Path.name(of: $0.0.path))" }
        if !others.isEmpty {
            problem += "; \(others.count) more pair\(others.count == 1 ? "" : "s") like that: "
            problem += others.prefix(nameLimit).joined(separator: ", ") + (others.count > nameLimit ? ", …" : "")
        }
        throw InputError(
            above.0.path, at: Tag.imagePositionPatient.description, problem,
            remedy: "leave out one of each; several acquisitions in one series belong in folders of their own")
    }

    /// The number of pairs of slices that a message names.
    private static let nameLimit = 200

    /// Refuses a missing slice between others, and distances that change.
    private static func checkGaps(_ places: [(Slice, Double)], source: String) throws {
        let regularity = Regularity(
            places.map(\.1), coordinates: (0..<3).map { axis in places.map { $0.0.position[axis] } })
        guard !regularity.isRegular else { return }
        let median = regularity.median
        let odd = regularity.oddPairs.map { (places[$0], places[$0 + 1]) }
        guard let (below, above) = odd.first else { return }
        // Where a gap is a multiple of the distance, the places of the missing slices are known.
        let missing = odd.flatMap { below, above -> [Double] in
            let steps = ((above.1 - below.1) / median).rounded()
            guard abs(above.1 - below.1 - steps * median) <= Regularity.gapTolerance * median, steps < 1000 else {
                return []
            }
            return (1..<max(1, Int(steps))).map { below.1 + Double($0) * median }
        }
        var problem =
            "slices lie \(text(above.1 - below.1)) mm apart between \(text(below.1)) and \(text(above.1)) mm along "
            + "their normal"
        if odd.count > 1 { problem += " and at \(odd.count - 1) more place\(odd.count == 2 ? "" : "s")" }
        problem += ", \(text(median)) mm elsewhere"
        if !missing.isEmpty {
            problem += ": missing at \(missing.prefix(5).map(text).joined(separator: ", "))"
            problem += missing.count > 5 ? ", … mm" : " mm"
        }
        throw InputError(source, problem, remedy: "give every slice of the series, at one distance")
    }

    /// Refuses slices that do not lie behind each other on a regular grid, such as those sheared by a tilted gantry.
    private static func checkGrid(_ places: [(Slice, Double)], normal: PatientVector, source: String) throws {
        let (first, last) = (places[0], places[places.count - 1])
        let step = (last.1 - first.1) / Double(places.count - 1)
        let voxel = min(first.0.rowSpacing, first.0.columnSpacing)
        for (index, place) in places.enumerated() {
            let along = place.1 - first.1
            let across = (place.0.position - first.0.position - normal * along).length
            guard across <= gridTolerance * voxel else {
                let angle = atan2(across, along) * 180 / .pi
                throw InputError(
                    place.0.path, at: Tag.imagePositionPatient.description,
                    "the slices do not lie straight behind each other: sheared by \(text(angle)) degrees, as with a "
                        + "tilted gantry",
                    remedy: "resample the series to an upright grid, such as with plastimatch or dcm2niix")
            }
            guard abs(along - Double(index) * step) <= gridTolerance * step else {
                throw InputError(
                    source,
                    "the slice distance changes: slice \(index + 1) lies at \(text(place.1)) mm along the normal, "
                        + "expected \(text(first.1 + Double(index) * step)) mm",
                    remedy: "give slices at one distance")
            }
        }
    }

    /// Writes a number with two decimals at most.
    private static func text(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
