"""The measurement behind scripts/bench; see there. With --torch it is the child that times PyTorch alone."""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time


def torch_step(size, batch, threads, steps, layout):
    import torch

    import run as reference
    import synthetic
    from loss import terms
    from network import NoduleNetwork

    torch.set_num_threads(threads)
    memory = torch.channels_last_3d if layout == "channels_last" else torch.contiguous_format
    network = NoduleNetwork().to(memory_format=memory).train()
    input, coord, labels = (torch.from_numpy(v) for v in synthetic.batch((batch, 1, size, size, size)))
    input = input.contiguous(memory_format=memory)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
    times = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        terms(network(input, coord), labels)[0].sum().backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"step_s": statistics.median(times[1:]), "peak_rss_bytes": rss}))


def last_json(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("luna", nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 64, 128])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--torch", choices=["contiguous", "channels_last"])
    a = parser.parse_args()
    if a.torch:
        torch_step(a.sizes[0], a.batch, a.threads, a.steps, a.torch)
        return
    shared = ["--batch", str(a.batch), "--threads", str(a.threads), "--steps", str(a.steps)]
    print("crop   luna s   PyTorch s (layout)        time ratio   luna MiB   PyTorch MiB   memory ratio")
    for size in a.sizes:
        results = {"luna": [], "contiguous": [], "channels_last": []}
        for _ in range(a.rounds):
            results["luna"].append(last_json([a.luna, "bench", "step", "--json", "--size", str(size)] + shared))
            for layout in ("contiguous", "channels_last"):
                results[layout].append(last_json(
                    [sys.executable, __file__, "--torch", layout, "--sizes", str(size)] + shared))
        step = {k: statistics.median(r["step_s"] for r in v) for k, v in results.items()}
        rss = {k: statistics.median(r["peak_rss_bytes"] for r in v) / 2**20 for k, v in results.items()}
        best = min(("contiguous", "channels_last"), key=step.get)
        print(f"{size:4d}  {step['luna']:7.3f}   {step[best]:7.3f} ({best:13s})   {step['luna'] / step[best]:9.3f}"
              f"   {rss['luna']:8.0f}   {rss[best]:11.0f}   {rss['luna'] / rss[best]:9.2f}", flush=True)


main()
