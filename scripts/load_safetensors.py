"""Loads what `luna weights export` wrote into its network in PyTorch (scripts/reference).

    python scripts/load_safetensors.py fold0.safetensors

In a program of your own:

    network = load("fold0.safetensors").eval()
    output = network(input, coord)      # [N, 1, D, H, W], [N, 3, D/4, H/4, W/4] -> [N, D/4, H/4, W/4, 3, 5]
                                        # cpm-net, cpm-net-gn: coord is not read and may be left out -> [N, D/4, H/4, W/4, 1, 7]

Needs torch and safetensors.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / folder) for folder in ("reference", "lib")]

import command  # noqa: E402


def load(path):
    """The network with the file's weights. Raises where a tensor is missing, superfluous or of another shape."""
    from networks import NETWORKS
    from safetensors import safe_open
    from safetensors.torch import load_file

    with safe_open(path, "pt") as file:
        name = (file.metadata() or {}).get("architecture", "nodule-net")
    if name not in NETWORKS:
        raise ValueError(f"{path}: is of the network {name}, known are {', '.join(NETWORKS)}")
    network = NETWORKS[name]()
    result = network.load_state_dict(load_file(path), strict=False)
    # luna keeps no count of the batches that running statistics have seen.
    missing = [name for name in result.missing_keys if not name.endswith("num_batches_tracked")]
    if missing or result.unexpected_keys:
        raise ValueError(f"{path}: missing {missing}, unexpected {result.unexpected_keys}")
    return network


def main():
    parser = command.Parser("load_safetensors.py", __doc__)
    parser.add_argument("weights")
    a = parser.parse_args()
    from safetensors import safe_open

    with command.reading(a.weights, "a network that luna has exported"):
        network = load(a.weights)
        with safe_open(a.weights, "pt") as file:
            print(file.metadata())
    print(f"{sum(p.numel() for p in network.parameters())} parameters")


if __name__ == "__main__":
    command.run(main)
