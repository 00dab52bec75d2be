"""Trains the nodule network with PyTorch on the crops that `luna replay batches` wrote, from the same weights and with
the same learning rates: what a run of luna does, by another framework. See scripts/prove-learning.

A step holds several replicas. Each has its own batch statistics and mines its own negatives; the means of the loss are
over the step (see loss.py), and the running statistics follow the replicas' average.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import torch

import loss
from networks import NETWORKS

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import command  # noqa: E402

STATISTICS_MOMENTUM = 0.1


class Training:
    """The weights live in the first of the networks, of which each replica has one; replicas run in threads of their
    own, which on several cores is faster than one after the other with several threads each."""

    def __init__(self, network, model, replicas, momentum, weight_decay, threads, workers, dtype, layout):
        self.networks = [NETWORKS[network](dropout=0.0) for _ in range(replicas)]
        for network in self.networks:
            network.load_state_dict(model, strict=False)
            network.to(dtype=dtype, memory_format=layout).train()
            # So that after a forward pass the buffers hold the statistics of its batch alone.
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm3d):
                    module.momentum = 1.0
        self.network = self.networks[0]
        self.optimizer = torch.optim.SGD(self.network.parameters(), momentum=momentum, weight_decay=weight_decay)
        self.running = {n: b.clone() for n, b in self.network.named_buffers() if "running" in n}
        self.dtype, self.layout = dtype, layout
        self.pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(threads // workers,))

    def step(self, input, coord, labels, rate):
        """input uint8 [replicas, batch, 1, D, H, W]. Returns the loss's terms as loss.NAMES orders them."""
        input, coord, labels = (torch.from_numpy(v).to(self.dtype) for v in (input, coord, labels))
        input = (input - 128) / 128
        terms = sum(self.pool.map(self.backward, self.networks, input, coord, labels, loss.weights(labels)))
        gradients = zip(*(network.parameters() for network in self.networks))
        for parameter, *copies in gradients:
            for copy in copies:
                parameter.grad += copy.grad
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.share()
        buffers = [dict(network.named_buffers()) for network in self.networks]
        for name, value in self.running.items():
            mean = sum(b[name] for b in buffers) / len(buffers)
            value.mul_(1 - STATISTICS_MOMENTUM).add_(mean, alpha=STATISTICS_MOMENTUM)
        return terms.double().numpy()

    def backward(self, network, image, place, truth, weight):
        """Leaves the gradient of a replica's share of the loss in its network; returns the share."""
        network.zero_grad()
        image = image.contiguous(memory_format=self.layout)
        share = loss.terms(network(image, place), truth)[0] * weight
        share.sum().backward()
        return share.detach()

    def share(self):
        """Gives all replicas the weights of the first."""
        with torch.no_grad():
            for parameter, *copies in zip(*(network.parameters() for network in self.networks)):
                for copy in copies:
                    copy.copy_(parameter)

    def tensors(self):
        """{path in a file: array}: the weights as luna reads them, and the optimizer's momentum."""
        result = {}
        for name, parameter in self.network.named_parameters():
            result[f"model/{name}"] = parameter
            velocity = self.optimizer.state[parameter].get("momentum_buffer")
            if velocity is not None:
                result[f"momentum/{name}"] = velocity
        result |= {f"model/{name}": value for name, value in self.running.items()}
        return {name: value.detach().float().contiguous().numpy() for name, value in result.items()}

    def take_momentum(self, group):
        for name, parameter in self.network.named_parameters():
            value = torch.from_numpy(group[name][()])
            self.optimizer.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).detach().copy_(value)


def write(path, training, step):
    """In one piece or not at all."""
    with command.writing(path) as part, h5py.File(part, "w") as file:
        for name, value in training.tensors().items():
            file[name] = value
        file.attrs["step"] = step


def read_model(file):
    return {name: torch.from_numpy(value[()]) for name, value in file["model"].items()}


def main():
    parser = command.Parser("train.py", __doc__)
    parser.add_argument("batches", help="file of `luna replay batches`")
    parser.add_argument("weights", help="file to write, and to go on from; luna detect reads it")
    parser.add_argument("log", help="one JSON object per step")
    parser.add_argument("--steps", type=int, help="by default all in the file")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, help="replicas at a time; by default as many as there are threads")
    parser.add_argument("--double", action="store_true", help="in float64, against which rounding can be measured")
    parser.add_argument("--layout", choices=["channels_last_3d", "contiguous_format"], default="channels_last_3d")
    parser.add_argument("--save-every", type=int, default=200)
    a = parser.parse_args()
    torch.set_num_threads(1)
    weights = command.output(a.weights, a.batches)
    log_path = command.output(a.log, a.batches, a.weights)
    with command.reading(a.batches, "a file of `luna replay batches`"):
        file = h5py.File(a.batches)
        if file.attrs["dropout"] != 0 or file.attrs["regression_weight"] != 1:
            raise command.Refusal(f"{a.batches}: expected dropout 0 and regression_weight 1")
        settings = dict(line.split(": ", 1) for line in file.attrs["config"].decode().splitlines())
        for key, value in [("recipe", "published"), ("optimizer", "sgd"), ("synchronized_batch_norm", "false")]:
            if settings.get(key, value) != value:
                raise command.Refusal(f"{a.batches}: recorded with {key}: {settings[key]}, which is not written anew "
                                      f"here; record them with {key}={value}")
        momentum, weight_decay = float(file.attrs["momentum"]), float(file.attrs["weight_decay"])
        rates = file["learning_rate"][()]
        replicas, step = file["input"].shape[1], 0
        network = settings.get("network", "nodule-net")
        setting = (replicas, momentum, weight_decay, a.threads, a.workers or min(a.threads, replicas),
                   torch.float64 if a.double else torch.float32, getattr(torch, a.layout))
        initial = read_model(file)
    with file:
        if os.path.exists(weights):
            with command.reading(weights, "what train.py has written"), h5py.File(weights) as saved:
                training = Training(network, read_model(saved), *setting)
                training.take_momentum(saved["momentum"])
                step = int(saved.attrs["step"])
            with command.reading(log_path), open(log_path) as log:
                kept = log.readlines()[:step]
            with command.writing(log_path) as part:
                Path(part).write_text("".join(kept))
        else:
            training = Training(initial, *setting)
            open(log_path, "w").close()
        last = min(a.steps or len(rates), len(rates))
        with open(log_path, "a", buffering=1) as log:
            while step < last:
                start, processor = time.perf_counter(), time.process_time()
                with command.reading(a.batches, "a file of `luna replay batches`"):
                    batch = [file[name][step] for name in ("input", "coord", "labels")]
                terms = training.step(*batch, float(rates[step]))
                if not np.isfinite(terms).all():
                    raise command.Refusal(f"step {step + 1}: the loss is not finite")
                step += 1
                log.write(json.dumps({
                    "step": step, "loss": terms.sum(), "classification": terms[:2].sum(),
                    "regression": list(terms[2:]), "learning_rate": float(rates[step - 1]),
                    "seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - processor}) + "\n")
                if step % a.save_every == 0 or step == last:
                    write(weights, training, step)


command.run(main)
