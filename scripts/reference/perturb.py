"""Writes the initial weights in a file of `luna replay batches` once more, each moved by a part in a million at random:
a run from there shows how far rounding alone drives two trainings apart. See scripts/prove-learning."""

import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import command  # noqa: E402


def main():
    parser = command.Parser("perturb.py", __doc__)
    parser.add_argument("batches", help="file of `luna replay batches`")
    parser.add_argument("weights", help="the weight file to write")
    parser.add_argument("--by", type=float, default=1e-6, help="largest relative change")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    generator = np.random.default_rng(a.seed)
    output = command.output(a.weights, a.batches)
    with command.writing(output) as part, command.reading(a.batches, "a file of `luna replay batches`"):
        with h5py.File(a.batches) as source, h5py.File(part, "w") as target:
            for name, tensor in source["model"].items():
                change = generator.uniform(-a.by, a.by, tensor.shape)
                target[f"model/{name}"] = (tensor[()] * (1 + change)).astype(np.float32)


command.run(main)
