"""Weights that travel between luna and PyTorch, for luna's tests (Tests/InterchangeTests), which run it where
LUNA_PYTHON names a Python with torch, h5py and safetensors.

    weights.py compare EXPORT ANSWERS       luna's safetensors in PyTorch: prints how far outputs lie from luna's
    weights.py make CHECKPOINT ANSWERS      writes a pickled checkpoint as training scripts do, and its outputs
    weights.py make-old CHECKPOINT ANSWERS  the same as Python 2 and PyTorch before 1.6 wrote it

ANSWERS is HDF5: /input, /coord and, in evaluation mode, /output.
"""

import argparse
import pickle
import struct
import sys
import types
from pathlib import Path

import h5py
import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "lib")]

import command  # noqa: E402
import synthetic  # noqa: E402
from load_safetensors import load  # noqa: E402
from network import NoduleNetwork  # noqa: E402


def evaluate(network, input, coord):
    with torch.no_grad():
        return network.eval()(torch.from_numpy(input), torch.from_numpy(coord)).numpy()


def compare(export, answers):
    with command.reading(answers, "what luna has answered"), h5py.File(answers) as file:
        output = evaluate(load(export), file["input"][()], file["coord"][()])
        print(abs(output - file["output"][()]).max())


class Python2Pickler(pickle._Pickler):
    """Writes strings as Python 2 did, whose text was bytes."""

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file, protocol=2):
        super().__init__(file, protocol)

    def save_str(self, string):
        data = string.encode("latin-1")
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(string)

    dispatch[str] = save_str


def make_old(checkpoint, answers):
    def dump(value, file, protocol):
        Python2Pickler(file).dump(value)

    module = types.SimpleNamespace(__name__="python2", Pickler=Python2Pickler, dump=dump)
    make(checkpoint, answers, pickle_module=module, _use_new_zipfile_serialization=False)


def make(checkpoint, answers, **options):
    torch.manual_seed(7)
    network = NoduleNetwork()
    input, coord = synthetic.image((2, 1, 32, 16, 48)), synthetic.coordinates((2, 1, 32, 16, 48))
    # The batch's own statistics instead of 0 and 1, so that outputs vary as a trained network's do.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.momentum = 1.0
    network.train()(torch.from_numpy(input), torch.from_numpy(coord))
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    args = argparse.Namespace(lr=0.01, save_dir="/caf\xe9", command="train " * 60)
    torch.save({"epoch": 3, "state_dict": state, "args": args, "best": np.float64(1 / 3)}, checkpoint, **options)
    with h5py.File(answers, "w") as file:
        file["input"], file["coord"] = input, coord
        file["output"] = evaluate(network, input, coord)


if __name__ == "__main__":
    command.run({"compare": compare, "make": make, "make-old": make_old}[sys.argv[1]], *sys.argv[2:])
