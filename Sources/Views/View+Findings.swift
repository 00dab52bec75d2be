import CT
import Evaluation
import Pictures

extension View {
    /// A page of the most probable findings in a scan; where its nodules are known, beside them.
    ///
    /// - Parameter source: The file that the findings are from, for messages.
    public static func findings(_ candidates: [Candidate], in volume: CleanVolume, top: Int, source: String) -> View {
        View("\(volume.seriesUID)-findings") {
            try requireViewable(volume.extent, file: source, at: volume.seriesUID)
            let review = CandidateReview(volume, candidates)
            if !volume.nodules.isEmpty { return try review.page(top: top, source: source) }
            let shown = review.candidates.prefix(top)
            return ContactSheet(
                title: "\(volume.seriesUID)\nthe first \(shown.count) of "
                    + Caption.count(review.candidates.count, "finding"),
                legend: "a finding of unknown size has a circle of 10 mm",
                tiles: shown.enumerated().map { index, candidate in
                    let size = candidate.diameter.map { "\(Caption.millimetres($0)) mm" } ?? "size unknown"
                    return ContactSheet.Tile(
                        review.unjudgedStrip(candidate),
                        caption: "\(index + 1). p \(Decimal.probability(candidate.probability)), \(size)\n"
                            + Caption.place(WorldPoint(x: candidate.x, y: candidate.y, z: candidate.z)),
                        color: Marks.finding)
                }
            ).picture()
        }
    }
}
