// report.html: one self-contained page that a person opens and understands.

import FileIO
import Foundation
import Mustache

extension EvaluationResult {
    /// Writes `report.html`.
    ///
    /// - Parameters:
    ///   - sources: What was evaluated: a name and a path or figure each.
    ///   - warnings: Sentences that qualify the result.
    /// - Throws: `FileError`.
    public func writeReport(to directory: String, sources: [(name: String, value: String)], warnings: [String]) throws {
        let template = try MustacheTemplate(string: Self.page)
        let c = matching.counts
        let content: [String: Any] = [
            "cpm": Decimal.text(froc.cpm, places: 3),
            "interval": bootstrap.map {
                "95 % of \($0.resamples) resamples of the scans lie between \(Decimal.text($0.cpm.lower, places: 3)) "
                    + "and \(Decimal.text($0.cpm.upper, places: 3))"
            } ?? "",
            "plot": Plot.svg(self),
            "rows": FROC.rates.indices.map { index -> [String: String] in
                [
                    "rate": ["1/8", "1/4", "1/2", "1", "2", "4", "8"][index],
                    "sensitivity": Decimal.text(froc.sensitivities[index], places: 3),
                    "interval": bootstrap.map {
                        let i = $0.sensitivities[index]
                        return "\(Decimal.text(i.lower, places: 3)) – \(Decimal.text(i.upper, places: 3))"
                    } ?? "–",
                ]
            },
            "counts": [
                ("scans", c.scans), ("nodules", c.nodules), ("detected", c.detected),
                ("missed", c.nodules - c.detected), ("false positives", c.falsePositives),
                ("on excluded findings (ignored)", c.irrelevant), ("further hits on a nodule (ignored)", c.double),
                ("beyond 100 in a scan (ignored)", c.beyondLimit),
            ].map { ["name": $0.0, "value": "\($0.1)"] },
            "warnings": warnings.map { ["text": $0] },
            "hasWarnings": !warnings.isEmpty,
            "missed": matching.missed.prefix(50).map { row($0.seriesUID, $0.x, $0.y, $0.z, $0.diameter, places: 1) },
            "hasMissed": !matching.missed.isEmpty,
            "missedCount": "\(matching.missed.count)",
            "false": matching.falsePositives.prefix(25).map {
                row($0.seriesUID, $0.x, $0.y, $0.z, $0.probability, places: 3)
            },
            "hasFalse": !matching.falsePositives.isEmpty,
            "sources": sources.map { ["name": $0.name, "value": $0.value] },
        ]
        try AtomicFile.write(template.render(content), to: "\(directory)/report.html")
    }

    private func row(
        _ series: String, _ x: Double, _ y: Double, _ z: Double, _ last: Double, places: Int
    ) -> [String: String] {
        [
            "series": series, "x": Decimal.text(x, places: 1), "y": Decimal.text(y, places: 1),
            "z": Decimal.text(z, places: 1), "last": Decimal.text(last, places: places),
        ]
    }

    private static let page = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>FROC report: CPM {{cpm}}</title>
        <style>
        :root { color-scheme: light dark; --text: #1c2127; --soft: #5b6672; --line: #d5dae0; --back: #fff; --mark: #0b62a8;
          --note: #fff6dd; }
        @media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --soft: #9aa5b1; --line: #37404a; --back: #14181d;
          --mark: #63b0f0; --note: #3a3217; } }
        body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; background: var(--back); color: var(--text);
          font: 16px/1.5 system-ui, sans-serif; }
        h1 { font-size: 1.5rem; margin: 0 0 .2rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
        p { margin: .3rem 0 } .soft { color: var(--soft) } .cpm { font-size: 3rem; font-weight: 650; line-height: 1.1 }
        svg { width: 100%; max-width: 44rem; height: auto; display: block }
        .grid { stroke: var(--line) } .label { fill: var(--soft); font-size: 13px } .band { fill: var(--mark); opacity: .18 }
        .curve { fill: none; stroke: var(--mark); stroke-width: 2.5 } .dot { fill: var(--mark) }
        .scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
        th, td { padding: .25rem .9rem .25rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
        th { color: var(--soft); font-weight: 500 } th:first-child, td:first-child { text-align: left }
        .note { background: var(--note); padding: .6rem .9rem; border-radius: .4rem; margin-top: 1rem }
        .columns { display: flex; flex-wrap: wrap; gap: 0 3rem } .name { font-size: .85rem }
        @media print { body { max-width: none } tr { break-inside: avoid } }
        </style></head><body>
        <h1>Nodule detection, free-response ROC</h1>
        <p class="soft">LUNA16's rules: mean sensitivity at 1/8 to 8 false positives per scan</p>
        <p class="cpm">{{cpm}}</p><p class="soft">CPM. {{interval}}</p>
        {{#hasWarnings}}<div class="note">{{#warnings}}<p>{{text}}</p>{{/warnings}}</div>{{/hasWarnings}}
        <h2>Sensitivity against false positives per scan</h2>
        {{{plot}}}
        <div class="columns"><div><h2>At the seven rates</h2><div class="scroll"><table>
        <tr><th>FP per scan</th><th>sensitivity</th><th>95 % interval</th></tr>
        {{#rows}}<tr><td>{{rate}}</td><td>{{sensitivity}}</td><td>{{interval}}</td></tr>{{/rows}}
        </table></div></div><div><h2>Counts</h2><div class="scroll"><table>
        {{#counts}}<tr><td>{{name}}</td><td>{{value}}</td></tr>{{/counts}}
        </table></div></div></div>
        {{#hasMissed}}<h2>Missed nodules ({{missedCount}})</h2><div class="scroll"><table class="name">
        <tr><th>series</th><th>x mm</th><th>y mm</th><th>z mm</th><th>diameter mm</th></tr>
        {{#missed}}<tr><td>{{series}}</td><td>{{x}}</td><td>{{y}}</td><td>{{z}}</td><td>{{last}}</td></tr>{{/missed}}
        </table></div>{{/hasMissed}}
        {{#hasFalse}}<h2>Most confident false positives</h2><div class="scroll"><table class="name">
        <tr><th>series</th><th>x mm</th><th>y mm</th><th>z mm</th><th>probability</th></tr>
        {{#false}}<tr><td>{{series}}</td><td>{{x}}</td><td>{{y}}</td><td>{{z}}</td><td>{{last}}</td></tr>{{/false}}
        </table></div>{{/hasFalse}}
        <h2>Made from</h2><div class="scroll"><table class="name">
        {{#sources}}<tr><td>{{name}}</td><td style="text-align:left">{{value}}</td></tr>{{/sources}}
        </table></div>
        </body></html>
        """
}
