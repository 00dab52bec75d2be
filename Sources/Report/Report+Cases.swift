import Evaluation

/// Single findings: a picture each where there are clean volumes, else a table.
extension Report {
    /// The most pictures in a section, and the most rows in a table.
    private static let (pictureLimit, rowLimit) = (12, 25)

    private struct Case {
        var subject: CasePictures.Subject
        var x, y, z: Double
        var diameter: Double?
        var probability: Double?
        var note = ""
    }

    private struct Section {
        var id, title, explanation, picture: String
        var cases: [Case]
    }

    /// The sections of false positives, missed nodules and unsure hits; a section without any is left out.
    func casesContent() throws -> [[String: Any]] {
        let sections = [falsePositives, missed, unsure].filter { !$0.cases.isEmpty }
        let pictures = CasePictures(paths: volumes)
        return try sections.map { section in
            let drawn = try pictures.draw(section.cases.prefix(Self.pictureLimit).map(\.subject))
            let hasPictures = drawn.contains { $0 != nil }
            let limit = hasPictures ? Self.pictureLimit : Self.rowLimit
            let shown = section.cases.prefix(limit)
            var content: [String: Any] = [
                "id": section.id, "title": section.title, "explanation": section.explanation,
                "number": count(section.cases.count),
            ]
            if section.cases.count > limit {
                content["more"] = "The first \(limit) of \(count(section.cases.count)) are shown."
            }
            let items = shown.enumerated().map { index, item -> [String: Any] in
                var content = fields(item)
                content["place"] = "\(index + 1)"
                content["alternative"] = "\(section.picture) in axial, coronal and sagittal slices, 48 mm wide"
                if hasPictures { content["picture"] = drawn[index] }
                return content
            }
            content[hasPictures ? "strips" : "table"] = ["items": items]
            return content
        }
    }

    private func fields(_ item: Case) -> [String: Any] {
        var content: [String: Any] = [
            "series": item.subject.seriesUID, "x": Decimal.text(item.x, places: 1),
            "y": Decimal.text(item.y, places: 1), "z": Decimal.text(item.z, places: 1),
            "size": item.diameter.map { "\(Decimal.text($0, places: 1)) mm" } ?? "size unknown",
            "sizeOrDash": item.diameter.map { "\(Decimal.text($0, places: 1)) mm" } ?? "–",
            "probabilityOrDash": item.probability.map(Decimal.probability) ?? "–",
        ]
        content["probability"] = item.probability.map(Decimal.probability)
        content["note"] = item.note.isEmpty ? nil : item.note
        return content
    }

    private var falsePositives: Section {
        let nodules = Dictionary(grouping: result.matching.outcomes.map(\.nodule), by: \.seriesUID)
        let limit = max(Self.pictureLimit, Self.rowLimit)
        let all = result.matching.falsePositives.enumerated().map { index, candidate in
            var item = Case(
                subject: .candidate(candidate), x: candidate.x, y: candidate.y, z: candidate.z,
                diameter: candidate.diameter, probability: candidate.probability)
            if index < limit, let nearest = (nodules[candidate.seriesUID] ?? []).map({ distance($0, candidate) }).min(),
                nearest < 20
            {
                item.note = "\(Decimal.text(nearest, places: 1)) mm from a nodule's middle"
            }
            return item
        }
        return Section(
            id: "false-positives", title: "Most confident false positives",
            explanation:
                "Candidates that lie on no nodule and on no excluded finding, the most probable first. Some may "
                + "be nodules that the reference does not hold.", picture: "False positive, circled red,", cases: all)
    }

    private var missed: Section {
        let all = result.matching.missed.sorted { $0.effectiveDiameter > $1.effectiveDiameter }.map {
            Case(
                subject: .nodule($0), x: $0.x, y: $0.y, z: $0.z, diameter: $0.effectiveDiameter)
        }
        return Section(
            id: "missed", title: "Missed nodules",
            explanation: "Nodules of the reference that no candidate lies on, at any probability; the largest first.",
            picture: "Missed nodule, circled dashed yellow,", cases: all)
    }

    private var unsure: Section {
        let threshold = result.froc.operatingPoint(within: 1)?.threshold ?? .infinity
        let hits = result.matching.outcomes.compactMap { outcome in outcome.hit.map { (outcome.nodule, $0) } }
        let all = hits.sorted { $0.1.probability < $1.1.probability }.map { nodule, hit in
            Case(
                subject: .nodule(nodule), x: nodule.x, y: nodule.y, z: nodule.z,
                diameter: nodule.effectiveDiameter, probability: hit.probability,
                note: hit.probability < threshold ? "lost at one false positive per scan" : "")
        }
        return Section(
            id: "unsure", title: "Least confident hits",
            explanation:
                "Nodules that are found, those whose best candidate is least probable first: the next to be lost "
                + "when the threshold rises.", picture: "Nodule, circled dashed yellow,", cases: all)
    }

    private func distance(_ nodule: Finding, _ candidate: Candidate) -> Double {
        let (dx, dy, dz) = (candidate.x - nodule.x, candidate.y - nodule.y, candidate.z - nodule.z)
        return (dx * dx + dy * dy + dz * dz).squareRoot()
    }
}
