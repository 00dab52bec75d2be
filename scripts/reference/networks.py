"""luna's networks in PyTorch by the names that configurations and files have for them."""

import functools

from cpm_network import CenterPointNetwork
from network import NoduleNetwork, group_norm

NETWORKS = {
    "nodule-net": NoduleNetwork,
    "nodule-net-gn": functools.partial(NoduleNetwork, norm=group_norm),
    "cpm-net": CenterPointNetwork,
    "cpm-net-gn": functools.partial(CenterPointNetwork, norm=group_norm),
}
