"""Turns a PyTorch checkpoint into safetensors, which `luna weights import` reads.

    python scripts/convert_checkpoint.py detector.ckpt detector.safetensors
    luna weights import --input detector.safetensors --output detector.h5 --preset dsb2017

The checkpoint is a state_dict or holds one under "state_dict", with or without `module.` before the names; one that
Python 2 has written is read, too. It is unpickled with weights_only=True, which runs none of its code; one that needs
more is refused. Needs torch and safetensors.
"""

import argparse
import io
import pickle
import pickletools
import re
import sys
import warnings
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))

import command  # noqa: E402

# Magic number, version, system, the object, and the keys of the storages, which follow as they are.
PICKLES_OF_OLD_FORMAT = 5
REMEDY = "save its state_dict() where its classes are known, and convert that"
STRINGS_OF_PYTHON_2 = {"STRING", "BINSTRING", "SHORT_BINSTRING"}


def with_text(data, count=1):
    """Pickles, one behind the other, with Python 2's strings made text, and what follows them as it is. PyTorch's own
    reader of weights knows only short strings. Latin-1: NumPy's numbers are strings there, and take their bytes so."""
    file, result = io.BytesIO(data), bytearray()
    for _ in range(count):
        operations = list(pickletools.genops(file))
        ends = [position for _, _, position in operations[1:]] + [file.tell()]
        for (operation, argument, start), end in zip(operations, ends):
            if operation.name in STRINGS_OF_PYTHON_2:
                string = argument.encode("utf-8")
                result += pickle.BINUNICODE + len(string).to_bytes(4, "little") + string
            else:
                result += data[start:end]
    return bytes(result) + file.read()


def modern(path):
    """The bytes of a checkpoint, its strings as Python 3 has them."""
    data = Path(path).read_bytes()
    if not data.startswith(b"PK\3\4"):
        return with_text(data, PICKLES_OF_OLD_FORMAT)
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, "w") as target:
        if any(name.endswith("/constants.pkl") for name in source.namelist()):
            raise command.Refusal(f"{path}: is a network of TorchScript; {REMEDY}")
        for item in source.infolist():
            content = source.read(item)
            target.writestr(item.filename, with_text(content) if item.filename.endswith("/data.pkl") else content)
    return result.getvalue()


def harmless():
    """What is often saved beside weights: a training script's options, and NumPy's numbers."""
    result = [argparse.Namespace]
    try:
        import numpy as np
    except ImportError:
        return result
    scalar = np.float64(0).__reduce__()[0]
    result += [np.dtype, (scalar, "numpy._core.multiarray.scalar"), (scalar, "numpy.core.multiarray.scalar")]
    return result + [type(np.dtype(code)) for code in np.typecodes["AllInteger"] + "?efdFD"]


def load(path):
    """What a checkpoint holds. Raises what torch raises, and Refusal where it would run code."""
    import torch

    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(harmless()):
            warnings.simplefilter("ignore")
            return torch.load(io.BytesIO(modern(path)), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise command.Refusal(f"{path}: would run code of its own ({named.group(1)}); {REMEDY}") from error
        # Not torch's advice to run the code.
        said = re.search(r"WeightsUnpickler error: (.*)", str(error))
        raise ValueError(said.group(1) if said else "no pickle of weights") from error


def state_dict(path):
    """{name: tensor} of a checkpoint, without PyTorch's batch counters. Raises Refusal where it holds none."""
    import torch

    with command.reading(path, "a checkpoint of PyTorch"):
        checkpoint = load(path)
    for key in ("state_dict", b"state_dict"):
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(key), dict):
            checkpoint = checkpoint[key]
    if not isinstance(checkpoint, dict) or not all(
            isinstance(name, (str, bytes)) and isinstance(value, torch.Tensor) for name, value in checkpoint.items()):
        raise command.Refusal(f"{path}: holds no state_dict")
    names = [name.decode("latin-1") if isinstance(name, bytes) else name for name in checkpoint]
    tensors = {name.removeprefix("module."): value for name, value in zip(names, checkpoint.values())}
    if len(tensors) != len(checkpoint):
        raise command.Refusal(f"{path}: has names both with and without `module.`")
    with command.reading(path, "a state_dict of ordinary tensors"):
        # clone: safetensors refuses tensors that share memory.
        tensors = {name: value.detach().clone().contiguous() for name, value in tensors.items()
                   if not name.endswith("num_batches_tracked")}
    if not tensors:
        raise command.Refusal(f"{path}: its state_dict is empty")
    return tensors


def main():
    parser = command.Parser("convert_checkpoint.py", __doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("output")
    a = parser.parse_args()
    target = command.output(a.output, a.checkpoint)
    from safetensors.torch import save

    tensors = state_dict(a.checkpoint)
    with command.reading(a.checkpoint, "what safetensors can hold"):
        content = save(tensors, metadata={"format": "pt"})
    with command.writing(target) as part:
        Path(part).write_bytes(content)
    print(f"{len(tensors)} tensors: {a.output}")


if __name__ == "__main__":
    command.run(main)
