"""Draws the losses of a run of luna and of PyTorch's training on the same crops (scripts/prove-learning) as an SVG: above
their running means, below the difference of every single step. Prints what the picture shows, in figures."""

import json
import math
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import command  # noqa: E402

WIDTH, HEIGHT = 760, 560
LEFT, RIGHT = 66, 740
WINDOW = 51
OURS, THEIRS, INK, GRID = "#1761a0", "#d9660a", "#333333", "#dddddd"


def losses(path):
    """({step: loss}, what the log says of time)."""
    with command.reading(path, "a log of steps"), open(path) as file:
        records = [r for r in map(json.loads, file) if r.get("kind", "step") == "step"]
        seconds = [r["seconds"] for r in records]
        time = f"{sum(seconds):.0f} s, median step {statistics.median(seconds):.2f} s"
        if "cpu_seconds" in records[0]:
            time += f", {sum(r['cpu_seconds'] for r in records):.0f} s of processor"
        return {r["step"]: r["loss"] for r in records}, time


def running_mean(values):
    half = WINDOW // 2
    parts = (values[max(0, i - half):i + half + 1] for i in range(len(values)))
    return [sum(part) / len(part) for part in parts]


class Panel:
    """A plot with a logarithmic y axis."""

    def __init__(self, top, bottom, low, high, steps):
        self.top, self.bottom, self.steps = top, bottom, steps
        self.low, self.high = math.log10(low), math.log10(high)

    def place(self, step, value):
        share = (min(max(math.log10(value), self.low), self.high) - self.low) / (self.high - self.low)
        x = LEFT + (RIGHT - LEFT) * step / self.steps
        return f"{x:.1f},{self.bottom - share * (self.bottom - self.top):.1f}"

    def frame(self, title, ticks, xticks):
        lines = [text(LEFT, self.top - 12, title, "start", 14)]
        for value, label in ticks:
            y = float(self.place(0, value).split(",")[1])
            lines += [line(LEFT, y, RIGHT, y, GRID), text(LEFT - 8, y + 4, label, "end")]
        for step in xticks:
            x = LEFT + (RIGHT - LEFT) * step / self.steps
            lines += [line(x, self.top, x, self.bottom, GRID), text(x, self.bottom + 17, f"{step:,}", "middle")]
        return lines + [line(LEFT, self.bottom, RIGHT, self.bottom, INK)]

    def curve(self, points, colour, dash=""):
        path = "L".join(self.place(step, value) for step, value in points)
        return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'

    def dots(self, points, colour):
        path = "".join(f"M{self.place(step, value)}h0" for step, value in points)
        return f'<path d="{path}" stroke="{colour}" stroke-width="2" stroke-linecap="round" opacity="0.6"/>'


def line(x1, y1, x2, y2, colour):
    return f'<path d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}" stroke="{colour}"/>'


def text(x, y, content, anchor, size=12, colour=INK):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{content}</text>'


def power(exponent):
    return f'10<tspan dy="-5" font-size="9">{str(exponent).replace("-", "−")}</tspan>'


def picture(ours, theirs, steps):
    every = max(1, len(steps) // 300)
    shown = steps[::every] + ([steps[-1]] if (len(steps) - 1) % every else [])
    means = [dict(zip(steps, running_mean([run[s] for s in steps]))) for run in (ours, theirs)]
    low = min(min(m.values()) for m in means)
    xticks = range(0, steps[-1] + 1, 10 ** max(0, int(math.log10(steps[-1])) - 1) * 5)
    above = Panel(44, 300, min(0.1, low * 0.9), 3, steps[-1])
    below = Panel(376, 510, 1e-7, 10, steps[-1])
    values = [v for v in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2) if math.log10(v) >= above.low]
    lines = above.frame(f"Loss, mean over {WINDOW} steps", [(v, f"{v:g}") for v in values], xticks)
    lines += [above.curve([(s, means[0][s]) for s in shown], OURS),
              above.curve([(s, means[1][s]) for s in shown], THEIRS, ' stroke-dasharray="5 4"')]
    for y, colour, label, dash in [(68, OURS, "luna", ""), (90, THEIRS, "PyTorch", ' stroke-dasharray="5 4"')]:
        lines.append(f'<path d="M610,{y}h36" stroke="{colour}" stroke-width="2"{dash}/>')
        lines.append(text(654, y + 4, label, "start", 13, colour))
    lines += below.frame("Difference of each single step's loss, relative",
                         [(10.0 ** e, power(e)) for e in range(-6, 1, 2)], xticks)
    differences = [(s, max(abs(theirs[s] / ours[s] - 1), 1e-7)) for s in steps]
    lines += [below.dots(differences, OURS), text((LEFT + RIGHT) / 2, 550, "step", "middle")]
    body = "\n".join(lines)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
            f'<title>The loss of luna and of PyTorch on the same crops</title>\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>\n{body}\n</svg>\n')


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def main():
    parser = command.Parser("plot_learning.py", __doc__)
    parser.add_argument("metrics", help="metrics.jsonl of luna's run")
    parser.add_argument("log", help="log of train.py")
    parser.add_argument("svg", help="the picture to write")
    parser.add_argument("--float64", help="log of train.py --double, of some first steps")
    parser.add_argument("--float32", help="log of train.py --layout contiguous_format, of the same steps")
    parser.add_argument("--control", help="metrics.jsonl of luna's run from perturbed weights")
    a = parser.parse_args()
    target = command.output(a.svg, *filter(None, [a.metrics, a.log, a.float64, a.float32, a.control]))
    (ours, our_time), (theirs, their_time) = losses(a.metrics), losses(a.log)
    steps = sorted(ours.keys() & theirs.keys())
    if not steps:
        raise command.Refusal(f"{a.metrics}, {a.log}: have no step in common")
    with command.writing(target) as part:
        Path(part).write_text(picture(ours, theirs, steps))
    print(f"{len(steps)} steps in both")
    if a.float64:
        truth = losses(a.float64)[0]
        runs = {"luna": ours, "PyTorch": theirs}
        if a.float32:
            runs["PyTorch, contiguous"] = losses(a.float32)[0]
        for count in (1, 5, 10, len(truth)):
            worst = (f"{name} {max(abs(run[s] / truth[s] - 1) for s in range(1, count + 1)):.1e}"
                     for name, run in runs.items())
            print(f"largest relative error against float64 in the first {count} steps: {', '.join(worst)}")
    runs = {"luna": ours, "PyTorch": theirs}
    if a.control:
        runs["control"] = losses(a.control)[0]
        for limit in (1e-5, 1e-3, 1e-1):
            first = [next((s for s in steps if abs(runs[name][s] / ours[s] - 1) > limit), "never")
                     for name in ("control", "PyTorch")]
            print(f"first step that differs from luna's by more than {limit:g}: control {first[0]}, PyTorch {first[1]}")
    tenth = max(1, len(steps) // 10)
    for start in range(0, len(steps) - tenth + 1, tenth):
        part = steps[start:start + tenth]
        means = (f"{name} {mean(run[s] for s in part):.4f}" for name, run in runs.items())
        print(f"steps {part[0]:5d} to {part[-1]:5d}: mean loss {', '.join(means)}")
    print(f"wall-clock: luna {our_time}; PyTorch {their_time}")


command.run(main)
