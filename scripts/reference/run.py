"""One comparison run of the reference: forward, loss, gradients, running statistics and a few SGD steps."""

import contextlib
from dataclasses import dataclass

import torch

from loss import terms
from networks import NETWORKS

# Equivalent ways to compute in float32 with PyTorch: their errors against float64 show what rounding alone does.
FLOAT32_VARIANTS = {
    "contiguous": (torch.contiguous_format, True),
    "channels last": (torch.channels_last_3d, True),
    "without oneDNN": (torch.contiguous_format, False),
}


@dataclass
class Run:
    output: torch.Tensor        # of the first training forward, float64 [N, d, h, w, 3, 5]
    terms: list                 # of the first step, as loss.NAMES orders them
    gradients: dict             # of the first step, float64 by name
    statistics: dict            # running statistics after the first step, float64 by name
    evaluation: torch.Tensor    # evaluation mode after the first forward, with the weights before the update
    losses: list                # one per step
    model: dict                 # parameters and running statistics after the last step
    mining_gap: float           # the smallest of all steps


def shapes(network="nodule-net"):
    """{name: shape} of the whole `state_dict` without the batch counters, in its order."""
    return {name: tuple(value.shape) for name, value in NETWORKS[network]().state_dict().items()
            if not name.endswith("num_batches_tracked")}


def parameter_names(network="nodule-net"):
    return [name for name, _ in NETWORKS[network]().named_parameters()]


def run(state, batch, dtype=torch.float64, memory_format=torch.contiguous_format, onednn=True, steps=1,
        learning_rate=0.01, momentum=0.9, weight_decay=1e-4, evaluate=True, network="nodule-net"):
    """Trains `steps` steps of `nodule-net` or `nodule-net-gn` from `state` on one batch, dropout off. Inputs are NumPy
    arrays."""
    network = NETWORKS[network](dropout=0.0)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()}, strict=False)
    network.to(dtype=dtype, memory_format=memory_format).train()
    input, coord, labels = (torch.from_numpy(value).to(dtype) for value in batch)
    input = input.contiguous(memory_format=memory_format)
    optimizer = torch.optim.SGD(network.parameters(), learning_rate, momentum=momentum, weight_decay=weight_decay)
    losses, gap, first = [], float("inf"), {}
    backend = contextlib.nullcontext() if onednn else torch.backends.mkldnn.flags(enabled=False)
    with backend:
        for step in range(steps):
            optimizer.zero_grad()
            output = network(input, coord)
            parts, step_gap = terms(output, labels)
            parts.sum().backward()
            losses.append(parts.sum().item())
            gap = min(gap, step_gap)
            if step == 0:
                first = dict(
                    output=output.detach().double(), terms=[p.item() for p in parts],
                    gradients={n: p.grad.double().contiguous().clone() for n, p in network.named_parameters()},
                    statistics={n: b.double().clone() for n, b in network.named_buffers() if "running" in n},
                    evaluation=evaluated(network, input, coord) if evaluate else None)
            optimizer.step()
    model = {n: v.double().contiguous().clone() for n, v in network.state_dict().items() if "batches" not in n}
    return Run(**first, losses=losses, model=model, mining_gap=gap)


def evaluated(network, input, coord):
    network.eval()
    with torch.no_grad():
        result = network(input, coord).double()
    network.train()
    return result


def errors(run, truth):
    """Relative L2 error of each gradient. A bias before batch norm has gradient zero but for rounding: its error is
    measured against its layer's weight gradient."""
    return {name: error(value, truth.gradients[name], scale(truth.gradients, name))
            for name, value in run.gradients.items()}


def error(value, truth, scale):
    return ((value - truth).norm() / scale).item()


def scale(gradients, name):
    """The norm that errors of this gradient are relative to (see `errors`)."""
    layer, kind = name.rsplit(".", 1)
    weight, own = gradients[layer + ".weight"].norm(), gradients[name].norm()
    return weight if kind == "bias" and own < 1e-9 * weight else own
