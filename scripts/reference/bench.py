"""The measurement behind scripts/bench; see there. With --torch it is the child that times PyTorch alone."""

import argparse
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import command  # noqa: E402

LAYOUTS = ("contiguous", "channels_last", "compiled")


@dataclasses.dataclass
class Case:
    title: str
    kind: str  # step: forward, loss, backward, update; tile: forward in evaluation mode
    size: int
    batch: int = 1
    threads: int = 2
    isa: str = ""  # forced on luna; PyTorch always has all the processor offers
    network: str = "nodule-net"


CASES = {
    "step-96": Case("step 96³", "step", 96),
    "step-64": Case("step 64³", "step", 64),
    "step-128": Case("step 128³", "step", 128),
    "step-96x2": Case("step 2 × 96³", "step", 96, batch=2),
    "step-96-1thread": Case("step 96³, 1 thread", "step", 96, threads=1),
    "step-96-avx2": Case("step 96³, luna on AVX2", "step", 96, isa="avx2"),
    "tile-208": Case("detection tile 208³", "tile", 208),
    "cpm-96": Case("cpm-net, step 96³", "step", 96, network="cpm-net"),
    "gn-96": Case("nodule-net-gn, step 96³", "step", 96, network="nodule-net-gn"),
    "cpm-gn-96": Case("cpm-net-gn, step 96³", "step", 96, network="cpm-net-gn"),
}


def torch_child(case, steps, layout):
    """Prints the median seconds of PyTorch and its peak memory as JSON."""
    import torch

    import synthetic
    from loss import terms
    from networks import NETWORKS

    torch.set_num_threads(case.threads)
    memory = torch.contiguous_format if layout == "contiguous" else torch.channels_last_3d
    has_anchors = case.network.startswith("nodule-net")
    network = NETWORKS[case.network]().to(memory_format=memory)
    network.train(case.kind == "step")
    shape = (case.batch, 1, case.size, case.size, case.size)
    input, coord, labels = (torch.from_numpy(v) for v in synthetic.batch(shape))
    input = input.contiguous(memory_format=memory)
    run = torch.compile(network) if layout == "compiled" else network
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)

    def step():
        optimizer.zero_grad()
        output = run(input, coord)
        # Of the other network's loss nothing is known here; it costs next to nothing beside its layers.
        loss = terms(output, labels)[0].sum() if has_anchors else output.square().mean()
        loss.backward()
        optimizer.step()

    def tile():
        with torch.no_grad():
            run(input, coord)

    times = []
    # What is compiled settles only after the second call.
    warm = 2 if layout == "compiled" else 1
    for _ in range(steps + warm):
        start = time.perf_counter()
        step() if case.kind == "step" else tile()
        times.append(time.perf_counter() - start)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": statistics.median(times[warm:]), "bytes": rss}))


def last_json(words, environment=None):
    result = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if result.returncode != 0:
        said = result.stderr.strip().splitlines()[-1:]
        raise command.Refusal(f"{' '.join(words)}: {' '.join(said)}", result.returncode)
    return json.loads(result.stdout.strip().splitlines()[-1])


def measure_luna(luna, case, steps):
    words = [luna, "bench", "step" if case.kind == "step" else "inference", "--json", "--size", str(case.size),
             "--network", case.network, "--batch", str(case.batch), "--threads", str(case.threads), "--steps", str(steps)]
    result = last_json(words, {"LUNA_ISA": case.isa} if case.isa else None)
    return {"seconds": result["step_s" if case.kind == "step" else "tile_s"], "bytes": result["peak_rss_bytes"],
            "isa": result["isa"]}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("luna", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each program")
    parser.add_argument("--steps", type=int, default=3, help="measured steps of each turn")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help="which")
    parser.add_argument("--list", action="store_true", help="print the cases")
    parser.add_argument("--torch", choices=LAYOUTS, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.list:
        for name, case in CASES.items():
            print(f"{name:16s} {case.title}")
        return
    if a.torch:
        torch_child(CASES[a.cases[0]], a.steps, a.torch)
        return
    layouts = list(LAYOUTS)
    print("| case | luna, s | PyTorch, s | time ratio | luna, MiB | PyTorch, MiB | memory ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in a.cases:
        case = CASES[name]
        ours, theirs = [], {layout: [] for layout in layouts}
        for _ in range(a.rounds):
            ours.append(measure_luna(a.luna, case, a.steps))
            for layout in list(layouts):
                words = [sys.executable, __file__, a.luna, "--torch", layout, "--cases", name]
                try:
                    theirs[layout].append(last_json(words + ["--steps", str(a.steps)]))
                except command.Refusal as error:
                    # torch.compile wants a C++ compiler.
                    print(f"PyTorch {layout} left out: {error}", file=sys.stderr)
                    layouts.remove(layout)
        theirs = {layout: results for layout, results in theirs.items() if results}

        def median(results, key):
            return statistics.median(r[key] for r in results)

        best = min(theirs, key=lambda layout: median(theirs[layout], "seconds"))
        seconds, memory = median(ours, "seconds"), median(ours, "bytes") / 2**20
        their_seconds, their_memory = median(theirs[best], "seconds"), median(theirs[best], "bytes") / 2**20
        print(f"| {case.title} | {seconds:.3f} ({ours[0]['isa']}) | {their_seconds:.3f} ({best}) "
              f"| {seconds / their_seconds:.3f} | {memory:.0f} | {their_memory:.0f} | {memory / their_memory:.2f} |",
              flush=True)
        others = ", ".join(f"{layout} {median(results, 'seconds'):.3f} s, {median(results, 'bytes') / 2**20:.0f} MiB"
                           for layout, results in theirs.items())
        print(f"{name}: {others}", file=sys.stderr, flush=True)


command.run(main)
