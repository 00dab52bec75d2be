import Basics
import CT
import Evaluation
import Foundation

/// The most probable findings of one scan, for a person who looks for them in the images.
struct FindingsTable {
    static let limit = 10
    private let candidates: [Candidate]
    private let volume: CleanVolume

    init(_ candidates: [Candidate], in volume: CleanVolume) {
        self.candidates = candidates
        self.volume = volume
    }

    /// Positions in world millimetres (x to the patient's left, y to the back, z to the head), and the scan's slice,
    /// the first being 1.
    var text: String {
        if candidates.isEmpty { return "no finding" }
        var lines = ["     probability  diameter mm      x mm      y mm      z mm  slice"]
        for (index, c) in candidates.prefix(Self.limit).enumerated() {
            lines.append(
                String(format: "%3d  ", index + 1) + padded(Decimal.probability(c.probability), 11)
                    + String(format: "  %11.1f  %8.1f  %8.1f  %8.1f  %5d", c.diameter ?? 0, c.x, c.y, c.z, slice(c)))
        }
        let more = candidates.count - Self.limit
        if more > 0 { lines.append("and \(more) less probable ones") }
        return lines.joined(separator: "\n")
    }

    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private func slice(_ c: Candidate) -> Int {
        let frame = volume.frame
        let index = (c.z - frame.origin.z) * Double(frame.direction.z) / frame.spacing.z
        return min(max(Int(index.rounded()), 0), frame.scanExtent.z - 1) + 1
    }
}
