import Evaluation

extension Report {
    private func text(_ value: Double) -> String { Decimal.text(value, places: 3) }

    private func text(_ interval: Interval) -> String { "\(text(interval.lower)) – \(text(interval.upper))" }

    /// The result in figures and as a curve.
    var resultsContent: [String: Any] {
        let (c, froc) = (result.matching.counts, result.froc)
        let bootstrap = result.bootstrap
        var content: [String: Any] = [
            "cpm": text(froc.cpm),
            "summary": "\(count(c.detected)) of \(counted(c.nodules, "nodule")) in \(counted(c.scans, "scan")) have a "
                + "candidate on them. At one false positive per scan the sensitivity is "
                + "\(text(froc.sensitivity(at: 1))), at four it is \(text(froc.sensitivity(at: 4))).",
            "terms": result.terms(excluded: excluded).map { ["text": $0] },
            "plot": FROCPlot.element(comparison),
            "axis": FROCPlot.base(comparison) > 0
                ? "The axis begins at \(Decimal.text(FROCPlot.base(comparison), places: 1)). " : "",
            "rows": FROC.rates.indices.map { index in
                [
                    "rate": FROC.rateNames[index], "sensitivity": text(froc.sensitivities[index]),
                    "interval": bootstrap.map { text($0.sensitivities[index]) } ?? "–",
                ]
            },
            "counts": [
                ("scans", c.scans), ("nodules", c.nodules), ("found by some candidate", c.detected),
                ("missed by all candidates", c.nodules - c.detected), ("false positives", c.falsePositives),
                ("on excluded findings (ignored)", c.irrelevant), ("further hits on a nodule (ignored)", c.double),
                ("beyond 100 in a scan (ignored)", c.beyondLimit),
            ].map { ["name": $0.0, "value": count($0.1)] },
        ]
        if let bootstrap {
            content["interval"] = text(bootstrap.cpm)
            content["bootstrap"] = [
                "resamples": count(bootstrap.resamples), "interval": text(bootstrap.cpm),
                "detector": comparison.detectors.count > 1 ? " of “\(name)”" : "",
            ]
        }
        return content
    }

    /// The line of each detector, where there are several.
    var comparisonContent: [String: Any]? {
        guard comparison.detectors.count > 1 else { return nil }
        return [
            "first": name, "rates": FROC.rateNames.map { ["name": $0] },
            "hasBootstrap": result.bootstrap != nil,
            "rows": comparison.detectors.map { detector -> [String: Any] in
                let result = detector.result
                return [
                    "name": detector.name, "values": result.froc.sensitivities.map { ["value": text($0)] },
                    "cpm": text(result.froc.cpm), "interval": result.bootstrap.map { text($0.cpm) } ?? "–",
                    "difference": detector.difference == nil
                        ? "–" : detector.differenceText.replacing("-", with: "−"),
                ]
            },
        ]
    }

    /// The line of each fold.
    var foldsContent: [String: Any]? {
        guard let folds = result.folds else { return nil }
        func values(_ values: [Double]) -> [[String: String]] { values.map { ["value": text($0)] } }
        func row(_ name: String, _ counts: [Int], _ numbers: [Double]?) -> [String: Any] {
            let places = Array(repeating: "", count: 3 - counts.count)
            let dashes = Array(repeating: ["value": "–"], count: FROC.rates.count + 1)
            return [
                "name": name, "counts": (counts.map(count) + places).map { ["value": $0] },
                "values": numbers.map(values) ?? dashes,
            ]
        }
        var rows = folds.folds.map { fold in
            row(
                "\(fold.fold)", [fold.scans, fold.nodules, fold.detected],
                fold.sensitivities.map { $0 + [fold.cpm ?? 0] })
        }
        var content: [String: Any] = ["rates": FROC.rateNames.map { ["name": $0] }]
        if let cpm = folds.cpm {
            let spreads = folds.sensitivities + [cpm]
            rows.append(row("mean", [], spreads.map(\.mean)))
            let deviations = spreads.compactMap(\.standardDeviation)
            if deviations.count == spreads.count { rows.append(row("standard deviation", [], deviations)) }
            let spread = cpm.standardDeviation.map { " ± \(text($0))" } ?? ""
            content["summary"] =
                "Over the folds the CPM is \(text(cpm.mean))\(spread); over all scans at once it is "
                + "\(text(result.froc.cpm))."
        }
        let c = result.matching.counts
        rows.append(
            row("pooled", [c.scans, c.nodules, c.detected], result.froc.sensitivities + [result.froc.cpm]))
        content["rows"] = rows
        return content
    }

    /// Sensitivity by diameter.
    var sizesContent: [String: Any]? {
        guard let sizes = DiameterSensitivity(result) else { return nil }
        return [
            "plot": DiameterPlot.element(sizes), "threshold": Decimal.probability(sizes.threshold),
            "rate": text(sizes.achievedRate), "hits": count(sizes.all.hits), "nodules": count(sizes.all.trials),
            "rows": sizes.bins.map { bin in
                [
                    "name": DiameterPlot.name(bin), "hits": count(bin.nodules.hits),
                    "nodules": count(bin.nodules.trials), "share": text(bin.nodules.share),
                    "interval": "\(text(bin.nodules.interval.lowerBound)) – \(text(bin.nodules.interval.upperBound))",
                ]
            },
        ]
    }

    /// The course of the run.
    var trainingContent: [String: Any]? {
        guard let run else { return nil }
        let figures = TrainingPlots(run).figures
        var facts: [String] = []
        if let steps = run.loss.last?.step {
            facts.append("\(counted(steps, "step")) in \(counted(run.epochs, "epoch")).")
        }
        if run.skippedSteps > 0 {
            facts.append("\(counted(run.skippedSteps, "step")) left out because the gradient was not finite.")
        }
        facts += stateFacts(run)
        if run.unreadableLines > 0 {
            facts.append("\(counted(run.unreadableLines, "line")) of the log cannot be read and are passed over.")
        }
        if figures.isEmpty && facts.isEmpty { return nil }
        return [
            "directory": run.directory, "facts": facts.joined(separator: " "),
            "figures": figures.map { ["plot": $0.plot, "caption": $0.caption] },
        ]
    }

    /// The states that a run left, and what they were chosen by: which of them the candidates come from is not in their
    /// list.
    private func stateFacts(_ run: RunLog) -> [String] {
        var facts: [String] = []
        switch run.heldOutFold {
        case "null": facts.append("No fold was held out: on scans that it was trained on, a detector shows nothing.")
        case let fold?: facts.append("Held out: fold \(fold).")
        case nil: break
        }
        if let checkpoint = run.checkpoints.last {
            facts.append("Newest checkpoint: \(checkpoint), which luna detect takes unless it is given another.")
        }
        if let best = run.best {
            let name = run.bestCheckpoint.map { ": \($0)" } ?? ""
            facts.append(
                "Best of \(counted(run.cpm.count, "evaluation")) on the held-out scans: epoch \(best.epoch), CPM "
                    + "\(text(best.cpm))\(name). Chosen by the scans that it is measured on, that state flatters "
                    + "itself there.")
        }
        return facts
    }

    /// The number with thin spaces between thousands, from 10,000.
    func count(_ number: Int) -> String {
        let digits = String(number)
        guard number >= 10_000 else { return digits }
        let head = digits.count % 3
        var groups = head > 0 ? [String(digits.prefix(head))] : []
        var rest = digits.dropFirst(head)
        while !rest.isEmpty {
            groups.append(String(rest.prefix(3)))
            rest = rest.dropFirst(3)
        }
        return groups.joined(separator: "\u{2009}")
    }

    func counted(_ number: Int, _ noun: String) -> String { "\(count(number)) \(noun)\(number == 1 ? "" : "s")" }
}
