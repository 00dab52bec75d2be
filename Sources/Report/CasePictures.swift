// Pictures of single candidates and nodules, where the data set's clean volumes are at hand.

import CT
import Evaluation
import FileIO
import Foundation
import PatchData
import Pictures
import Views

/// Draws candidates and nodules in their scans.
struct CasePictures {
    /// The subject of a picture.
    enum Subject {
        case candidate(Candidate)
        case nodule(Finding)

        var seriesUID: String {
            switch self {
            case .candidate(let candidate): candidate.seriesUID
            case .nodule(let nodule): nodule.seriesUID
            }
        }
    }

    /// Clean volumes by series.
    let paths: [String: String]

    /// The subjects as `data:` addresses of PNG pictures, in their order; nil where there is no volume of the scan, or
    /// the volume does not know the nodule. Reads each volume once, and holds one at a time.
    ///
    /// - Throws: `InputError` where a volume is missing or damaged; `FileError`.
    func draw(_ subjects: [Subject]) throws -> [String?] {
        var pictures = [String?](repeating: nil, count: subjects.count)
        let byScan = Dictionary(grouping: subjects.indices) { subjects[$0].seriesUID }
        for (series, indices) in byScan.sorted(by: { $0.key < $1.key }) {
            guard let path = paths[series] else { continue }
            let review = CandidateReview(try CleanVolumeFile.read(path), [])
            for index in indices { pictures[index] = strip(subjects[index], review).map(Self.address) }
        }
        return pictures
    }

    private func strip(_ subject: Subject, _ review: CandidateReview) -> Picture? {
        switch subject {
        case .candidate(let candidate): return review.strip(candidate)
        case .nodule(let finding):
            // The list and the volume give the same place in different coordinates, which differ by rounding.
            let center = Candidate(
                seriesUID: finding.seriesUID, x: finding.x, y: finding.y, z: finding.z, probability: 0)
            return review.hit(center).map { review.strip(nodule: $0) }
        }
    }

    private static func address(_ picture: Picture) -> String {
        "data:image/png;base64," + Data(picture.png()).base64EncodedString()
    }
}
