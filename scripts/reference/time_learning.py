"""Times training steps of luna and PyTorch in turn, as scripts/prove-learning --time asks for: luna on two ranks of one
thread, PyTorch with a thread for each replica, and with two threads for one replica after the other."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "lib"))

import command  # noqa: E402

WAYS = {"a thread per replica": [], "two threads per replica": ["--workers", "1"]}
LAYOUTS = ("channels_last_3d", "contiguous_format")


def median_seconds(path):
    """Of all steps but the first."""
    with command.reading(path, "a log of steps"), open(path) as file:
        steps = [r["seconds"] for r in map(json.loads, file) if r.get("kind", "step") == "step"]
        return statistics.median(steps[1:])


def main():
    parser = command.Parser("time_learning.py", __doc__)
    parser.add_argument("luna")
    parser.add_argument("data")
    parser.add_argument("config")
    parser.add_argument("--steps", type=int, default=5, help="measured steps of each turn")
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    times = {}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        count = str(a.steps + 1)
        # Without a fold to validate on: only steps are timed.
        settings = [part for s in ("epochs=1", f"steps_per_epoch={count}", "validation_fold=null", "threads=1")
                    for part in ("--set", s)]

        def run(*words):
            result = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                    env={**os.environ, "LUNA": os.path.abspath(a.luna)})
            if result.returncode != 0:
                raise command.Refusal(f"{words[0]} failed:\n{result.stderr.strip()}", result.returncode)

        common = ["--data", a.data, "--config", a.config, *settings]
        run(a.luna, "replay", "batches", *common, "--output", path / "batches.h5")
        for turn in range(a.rounds):
            run(HERE.parent / "launch", "--ranks", "2", "--threads", "1", "--", "train", *common,
                "--run", path / f"run{turn}")
            times.setdefault("luna, two ranks of a thread", []).append(
                median_seconds(path / f"run{turn}" / "metrics.jsonl"))
            for way, options in WAYS.items():
                for layout in LAYOUTS:
                    name = f"{way}-{layout}-{turn}".replace(" ", "-")
                    run(sys.executable, HERE / "train.py", path / "batches.h5", path / f"{name}.h5",
                        path / f"{name}.jsonl", "--layout", layout, *options)
                    times.setdefault(f"PyTorch, {way}, {layout}", []).append(median_seconds(path / f"{name}.jsonl"))
    ours = statistics.median(next(iter(times.values())))
    for name, values in times.items():
        middle = statistics.median(values)
        print(f"{middle:7.3f} s a step  {middle / ours:5.2f} x  {name}  "
              f"(rounds: {', '.join(f'{v:.3f}' for v in values)})")


command.run(main)
