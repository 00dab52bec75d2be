"""Turns a PyTorch checkpoint into safetensors, which `luna weights import` reads.

    python scripts/convert_checkpoint.py detector.ckpt detector.safetensors
    luna weights import --input detector.safetensors --output detector.h5 --preset dsb2017

The checkpoint is a state_dict or holds one under "state_dict", with or without `module.` before the names. It is
unpickled with weights_only=True, which runs none of its code; one that needs more is refused. Needs torch and
safetensors.
"""

import argparse
import pickle
import sys

import torch
from safetensors.torch import save_file


def state_dict(path):
    """{name: tensor} of a checkpoint, without PyTorch's batch counters."""
    # The options of a training script are often saved beside the weights, and are harmless.
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        sys.exit(f"{path}: is no checkpoint, or one that would run code of its own")
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get("state_dict"), dict):
        checkpoint = checkpoint["state_dict"]
    if not isinstance(checkpoint, dict) or not all(isinstance(v, torch.Tensor) for v in checkpoint.values()):
        sys.exit(f"{path}: holds no state_dict")
    tensors = {name.removeprefix("module."): value for name, value in checkpoint.items()}
    if len(tensors) != len(checkpoint):
        sys.exit(f"{path}: has names both with and without `module.`")
    # clone: safetensors refuses tensors that share memory.
    return {name: value.detach().clone().contiguous() for name, value in tensors.items()
            if not name.endswith("num_batches_tracked")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("output")
    arguments = parser.parse_args()
    tensors = state_dict(arguments.checkpoint)
    save_file(tensors, arguments.output, metadata={"format": "pt"})
    print(f"{len(tensors)} tensors: {arguments.output}")
