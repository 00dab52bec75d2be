"""Weights and batches from closed formulas, so that nothing large needs to be committed.

luna's tests compute the same values in Swift (Tests/TestSupport/ClosedForm.swift): only integer arithmetic and
correctly rounded floating point are used, so that both sides agree to the last bit.
"""

import numpy as np

MASK = (1 << 64) - 1


def fnv1a(name):
    """FNV-1a, 64 bits, of the UTF-8 text."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def hashes(name, count):
    """SplitMix64's finaliser of fnv1a(name) + i, i < count, as uint64."""
    z = np.arange(count, dtype=np.uint64) + np.uint64(fnv1a(name))
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(name, count):
    """Doubles in [-1, 1), multiples of 2**-23."""
    return (hashes(name, count) >> np.uint64(40)).astype(np.float64) / 2**24 * 2 - 1


def state(shapes, profile="ordinary"):
    """{name: float32 array} for {name: shape} in `state_dict` order.

    Convolution weights and biases are uniform in +-1/sqrt(fan_in), as PyTorch initialises them; running statistics
    are 0 and 1. Batch norm's weight and bias, by profile, with u uniform and c the channel:
    - ordinary: 1 + u/4 and u/4, so that ReLU cuts half of the values and no channel is like another;
    - separated: 0.3 + 0.075 u and (1 if c is even else -1) + u/4. Few values lie near ReLU's kink, where rounding
      decides which way a gradient goes, so that gradients of a large batch can be compared to the last digits.
    """
    base, spread = {"ordinary": (1.0, 0.25), "separated": (0.3, 0.075)}[profile]
    values = {}
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        layer, kind = name.rsplit(".", 1)
        weight = shapes.get(layer + ".weight")
        if kind == "running_mean":
            value = np.zeros(count)
        elif kind == "running_var":
            value = np.ones(count)
        elif len(weight) == 1 and kind == "weight":
            value = base + spread * uniform(name, count)
        elif len(weight) == 1:
            offset = 0.0 if profile == "ordinary" else 1.0 - 2.0 * (np.arange(count) % 2)
            value = offset + 0.25 * uniform(name, count)
        else:
            value = uniform(name, count) * (1 / np.sqrt(float(np.prod(weight[1:]))))
        values[name] = value.astype(np.float32).reshape(shape)
    return values


def wave(position, half_period):
    """A triangle wave of integers, 0 to half_period."""
    return np.abs(position % (2 * half_period) - half_period)


def image(shape, variant=0):
    """A network input [N, 1, D, H, W] as made from grey levels: slow waves, bright balls, noise (by variant)."""
    n, _, depth, height, width = shape
    s, z, y, x = np.meshgrid(*(np.arange(k) for k in (n, depth, height, width)), indexing="ij")
    noise = (hashes(f"input {variant}", s.size) >> np.uint64(59)).astype(np.int64).reshape(s.shape)
    level = 30 + 3 * wave(z + 5 * s, 12) + 2 * wave(2 * y + x, 24) + 2 * wave(x + z, 16) + noise
    for ball in range(3):
        distance = ((z - (9 + 11 * ball) % depth) ** 2 + (y - (12 + 17 * ball + 5 * s) % height) ** 2
                    + (x - (20 + 13 * ball) % width) ** 2)
        level = level + np.where(distance < (4 + 2 * ball) ** 2, 60, 0)
    level = np.minimum(level, 255)
    return ((level - 128) / 128).astype(np.float32).reshape(shape)


def coordinates(shape):
    """Coordinate ramps [N, 3, D/4, H/4, W/4] of crops at start (17, 40, 83) - 9 n in a volume of 240 x 280 x 300."""
    n, _, *extent = shape
    grid = [k // 4 for k in extent]
    result = np.zeros((n, 3, *grid), np.float32)
    for sample in range(n):
        for axis, (start, size) in enumerate(zip((17, 40, 83), (240, 280, 300))):
            corner = start - 9 * sample
            first = corner / size - 0.5
            last = (corner + extent[axis]) / size - 0.5
            ramp = first + (last - first) * (np.arange(grid[axis]) / (grid[axis] - 1))
            result[sample, axis] = ramp.reshape([-1 if a == axis else 1 for a in range(3)])
    return result


def labels(shape):
    """Labels [N, D/4, H/4, W/4, 3, 5]: a quarter of the anchors ignored, a few positives, the rest negative.

    A positive's offsets are up to 2, to use both branches of smooth L1.
    """
    n, _, *extent = shape
    grid = [k // 4 for k in extent]
    count = n * int(np.prod(grid)) * 3
    draw = hashes("labels", count) >> np.uint64(54)
    kind = np.where(draw < 256, 0, -1)
    kind = np.where(draw == 1023, 1, kind)
    result = np.repeat(kind[:, None], 5, 1).astype(np.float64)
    offsets = 2 * uniform("offsets", count * 4).reshape(count, 4)
    result[kind == 1, 1:] = offsets[kind == 1]
    return result.astype(np.float32).reshape(n, *grid, 3, 5)


def batch(shape, variant=0):
    """(input, coord, labels) for an input shape [N, 1, D, H, W]."""
    return image(shape, variant), coordinates(shape), labels(shape)
