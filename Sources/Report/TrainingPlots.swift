import Evaluation

/// The course of a run in small plots over its steps.
struct TrainingPlots {
    private let run: RunLog
    private let steps: Axis

    /// The most parts of a curve: more would show the noise of single steps instead of the course.
    private static let resolution = 100

    init(_ run: RunLog) {
        self.run = run
        let all = [run.loss, run.learningRate, run.validationLoss, run.cpm].compactMap(\.last?.step)
        steps = Axis.steps("step", upTo: all.max() ?? 1)
    }

    /// The plots, each with the sentence that says what it shows.
    var figures: [(plot: String, caption: String)] {
        [trainingLoss, validationLoss, cpm, learningRate].compactMap(\.self)
    }

    private var trainingLoss: (String, String)? {
        guard let last = run.loss.last else { return nil }
        let parts = RunLog.thinned(run.loss, to: Self.resolution)
        var plot = area(Axis.fitting("training loss", parts.flatMap { [$0.lower, $0.upper] }))
        plot.band(parts.map { ($0.step, $0.lower, $0.upper) }, "band")
        plot.curve(parts.map { ($0.step, $0.median) }, "curve c0")
        let each = (run.loss.count + parts.count - 1) / parts.count
        let spread =
            each > 1
            ? "Each point is the median of about \(each) steps; the band holds 80 % of them."
            : "One point for each step."
        let final = Decimal.text(parts.last?.median ?? last.value, places: 3)
        return (
            plot.element(label: "Training loss over \(last.step) steps, \(final) at the end"),
            "Training loss, \(final) at the end. \(spread) It is over crops with their hardest negatives, so it is not "
                + "comparable with the validation loss."
        )
    }

    private var validationLoss: (String, String)? {
        guard let least = run.validationLoss.min(by: { $0.value < $1.value }) else { return nil }
        var plot = area(Axis.fitting("validation loss", run.validationLoss.map(\.value)))
        dots(run.validationLoss, "c1", in: &plot)
        let text = Decimal.text(least.value, places: 3)
        return (
            plot.element(label: "Validation loss over the run, least \(text) after step \(least.step)"),
            "Loss on the held-out fold after each epoch; the least, \(text), after step \(least.step)."
        )
    }

    private var cpm: (String, String)? {
        guard let best = run.cpm.max(by: { $0.value < $1.value }) else { return nil }
        let levels = stride(from: 0, through: 10, by: 2).map { Double($0) / 10 }
        var plot = area(
            Axis(title: "CPM", range: 0...1, ticks: levels.map { ($0, Decimal.text($0, places: 1)) }))
        dots(run.cpm, "c2", in: &plot)
        let text = Decimal.text(best.value, places: 3)
        return (
            plot.element(label: "CPM on held-out scans over the run, best \(text) after step \(best.step)"),
            "CPM on whole held-out scans during training; the best, \(text), after step \(best.step)."
        )
    }

    private var learningRate: (String, String)? {
        guard let highest = run.learningRate.max(by: { $0.value < $1.value }) else { return nil }
        let parts = RunLog.thinned(run.learningRate, to: Self.resolution)
        var plot = area(Axis.linear("learning rate", parts.map(\.upper)))
        plot.curve(parts.map { ($0.step, $0.median) }, "curve c3")
        // Three significant digits or so.
        let text = Decimal.text(highest.value, places: highest.value < 0.001 ? 7 : highest.value < 0.1 ? 4 : 3)
        return (
            plot.element(label: "Learning rate over the run, at most \(text)"), "Learning rate, at most \(text)."
        )
    }

    private func area(_ y: Axis) -> PlotArea { PlotArea(width: 400, height: 230, x: steps, y: y) }

    private func dots(_ samples: [RunLog.Sample], _ style: String, in plot: inout PlotArea) {
        plot.curve(samples.map { (Double($0.step), $0.value) }, "curve \(style)")
        // Hundreds of dots would hide their line.
        if samples.count > 60 { return }
        for sample in samples { plot.dot(Double(sample.step), sample.value, "dot \(style)") }
    }
}
