"""The comparison behind scripts/parity; see there."""

import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import torch

import run as reference
import synthetic

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import command  # noqa: E402

# Network, input shape, the normalisations' profile and the noise of the image (see synthetic.py). The noises are chosen so that no value
# lies where rounding decides which way ReLU or pooling sends a gradient: one such decision changes a gradient by 1e-3.
# (At 64 voxels that is not enough: with noise 5 one gradient of 164 is off by 4.4 times float32's error, with 12 by 7.)
CASES = [
    ("nodule-net", (2, 1, 32, 48, 64), "separated", 2),
    ("nodule-net", (2, 1, 16, 16, 32), "ordinary", 32),
    ("nodule-net", (1, 1, 64, 64, 64), "separated", 0),
    ("nodule-net-gn", (2, 1, 16, 32, 48), "separated", 11),
]
STEPS = 3


def write(path, network, state, batch):
    with h5py.File(path / "weights.h5", "w") as file:
        file.attrs["architecture"] = np.bytes_(network)
        for name, value in state.items():
            file[f"model/{name}"] = value
    with h5py.File(path / "batch.h5", "w") as file:
        for name, value in zip(("input", "coord", "labels"), batch):
            file[name] = value


def relative(value, truth):
    return float(np.linalg.norm(value - truth) / np.linalg.norm(truth))


def compare(luna, network, shape, profile, noise, threads):
    state, batch = synthetic.state(reference.shapes(network), profile), synthetic.batch(shape, noise)
    truth = reference.run(state, batch, steps=STEPS, network=network)
    floats = {name: reference.run(state, batch, torch.float32, memory, onednn, steps=STEPS, network=network)
              for name, (memory, onednn) in reference.FLOAT32_VARIANTS.items()}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        write(path, network, state, batch)
        subprocess.run([luna, "replay", "--weights", path / "weights.h5", "--batch", path / "batch.h5", "--output",
                        path / "out.h5", "--steps", str(STEPS), "--no-dropout", "--threads", str(threads)],
                       check=True, stdout=subprocess.DEVNULL)
        with h5py.File(path / "out.h5") as file:
            output = file["output"][()].astype(np.float64)
            losses = file["losses"][()].astype(np.float64)
            gradients = {n: torch.from_numpy(file[f"gradients/{n}"][()]).double() for n in truth.gradients}
            model = {n: file[f"model/{n}"][()].astype(np.float64) for n in truth.model}
    rows = []

    def check(name, value, limit):
        rows.append((name, value, limit, value <= limit))

    check("output", relative(output, truth.output.numpy()), 2e-5)
    check("loss of the first step", abs(losses[0] / truth.losses[0] - 1), 1e-5)
    errors = [reference.errors(f, truth) for f in floats.values()]
    worst, name = 0.0, "none"
    ratios = []
    for key, value in gradients.items():
        ours = reference.error(value, truth.gradients[key], reference.scale(truth.gradients, key))
        # Rounding that PyTorch happens not to have is no measure: ten units in the last place of float32.
        ratio = ours / max(max(e[key] for e in errors), 1e-6)
        ratios.append(ratio)
        if ratio > worst:
            worst, name = ratio, key
    check(f"gradient error / PyTorch's float32, worst of {len(gradients)} ({name})", worst, 4)
    print(f"    gradient errors: median ratio {np.median(ratios):.2f}")
    floor = max(max(abs(f.losses[k] / truth.losses[k] - 1) for f in floats.values()) for k in range(STEPS))
    drift = max(abs(a / b - 1) for a, b in zip(losses, truth.losses))
    check(f"losses of {STEPS} steps", drift, max(1e-4, 4 * floor))
    running = [n for n in model if "running" in n]
    if running:
        changes = [relative(model[n], truth.model[n].numpy()) for n in running]
        own = max(relative(f.model[n].numpy(), truth.model[n].numpy()) for f in floats.values() for n in running)
        check(f"running statistics after {STEPS} steps", max(changes), max(1e-5, 4 * own))
    print(f"\n{network}, {'x'.join(map(str, shape))}, {profile}, mining gap {truth.mining_gap:.1e}")
    for name, value, limit, good in rows:
        print(f"  {'ok  ' if good else 'FAIL'}  {value:9.2e}  limit {limit:7.1e}  {name}")
    return all(row[3] for row in rows)


def main():
    parser = command.Parser("scripts/parity", __doc__)
    parser.add_argument("luna")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    results = [compare(arguments.luna, *case, arguments.threads) for case in CASES]
    print("\nparity holds" if all(results) else "\nparity FAILS")
    sys.exit(0 if all(results) else 1)


command.run(main)
