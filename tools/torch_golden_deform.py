# SPDX-License-Identifier: BSD-3-Clause
"""Makes tests/golden/deform*: deformable convolutions with their results by torchvision.

    python3 tools/torch_golden_deform.py [--seed 1] [--output tests/golden]

    deform.txt         one line a layer: exact or real, then name=number,...
    deform_exact.npy   float32: x, offset, mask, w, b, gy, y, gx, goffset, gmask, gw, gb of every exact
                       layer, one after another
    deform_real.npy    float64: the same of real layers

Exact layers have small integers for x, w, b and gy and multiples of 1/4 for offset and mask, so that every
product and sum is a number of float32 and every correct implementation gives the same ones. torchvision
pads both ends alike; pads that differ are zeros around its input. Its slope where a position is exactly -1
is taken from inside, outside the range where its sample is 0; exact layers avoid that one position.
"""
import argparse
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.ops import deform_conv2d

NAMES = ("x", "offset", "mask", "w", "b", "gy", "y", "gx", "goffset", "gmask", "gw", "gb")


def draw(r):
    """A layer whose kernel fits its padded input."""
    while True:
        groups, offset_groups = r.choice((1, 1, 2, 3)), r.choice((1, 1, 2, 3))
        channels = np.lcm(groups, offset_groups) * r.choice((1, 2))
        layer = dict(n=[r.choice((1, 2, 3))], groups=[groups], offset_groups=[offset_groups],
                     ic=[int(channels)], oc=[groups * r.choice((1, 2, 3))], bias=[r.randrange(2)],
                     masked=[r.randrange(2)])
        layer["input"] = [r.randint(1, 8) for _ in range(2)]
        layer["kernel"] = [r.randint(1, 3) for _ in range(2)]
        layer["stride"] = [r.randint(1, 3) for _ in range(2)]
        layer["dilation"] = [r.randint(1, 3) for _ in range(2)]
        layer["begin"] = [r.randint(0, 2) for _ in range(2)]
        layer["end"] = [r.randint(0, 2) for _ in range(2)]
        layer["output"] = [(layer["input"][a] + layer["begin"][a] + layer["end"][a]
                            - layer["dilation"][a] * (layer["kernel"][a] - 1) - 1) // layer["stride"][a] + 1
                           for a in range(2)]
        if min(layer["output"]) >= 1:
            return layer


def shapes(layer):
    n, taps, out = layer["n"][0], layer["kernel"][0] * layer["kernel"][1], layer["output"]
    q, ic, oc = layer["offset_groups"][0], layer["ic"][0], layer["oc"][0]
    return dict(x=[n, ic] + layer["input"], offset=[n, q * 2 * taps] + out, mask=[n, q * taps] + out,
                w=[oc, ic // layer["groups"][0]] + layer["kernel"], b=[oc], gy=[n, oc] + out)


def avoid_minus_one(layer, offset):
    """Moves samples that stand at exactly -1 on an axis by a quarter."""
    o = offset.reshape(layer["n"][0], layer["offset_groups"][0], *layer["kernel"], 2, *layer["output"])
    for axis in range(2):
        tap, cell = np.arange(layer["kernel"][axis]), np.arange(layer["output"][axis])
        base = (cell * layer["stride"][axis] - layer["begin"][axis])[None, :] \
            + (tap * layer["dilation"][axis])[:, None]
        base = base.reshape([1, 1, -1, 1, base.shape[1], 1] if axis == 0 else [1, 1, 1, -1, 1, base.shape[1]])
        part = o[:, :, :, :, axis]
        part[base + part == -1] += 0.25


def data(layer, exact, r):
    arrays = {}
    for name, shape in shapes(layer).items():
        if exact:
            quarter = name in ("offset", "mask")
            arrays[name] = r.integers(-12, 13, shape) / 4 if quarter else r.integers(-4, 5, shape)
        else:
            arrays[name] = r.uniform(-3, 3, shape) if name == "offset" else r.uniform(-1, 1, shape)
        arrays[name] = arrays[name].astype(np.float64)
    if exact:
        avoid_minus_one(layer, arrays["offset"])
    if not layer["bias"][0]:
        del arrays["b"]
    if not layer["masked"][0]:
        del arrays["mask"]
    return arrays


def run(layer, arrays):
    """Adds y and the gradients."""
    leaves = {k: torch.from_numpy(v).requires_grad_() for k, v in arrays.items() if k != "gy"}
    (top, left), (bottom, right) = layer["begin"], layer["end"]
    x = leaves["x"]
    symmetric = layer["begin"] == layer["end"]
    if not symmetric:
        x = F.pad(x, (left, right, top, bottom))
    y = deform_conv2d(x, leaves["offset"], leaves["w"], leaves.get("b"), stride=layer["stride"],
                      padding=layer["begin"] if symmetric else 0, dilation=layer["dilation"],
                      mask=leaves.get("mask"))
    y.backward(torch.from_numpy(arrays["gy"]))
    arrays["y"] = y.detach().numpy()
    for name, leaf in leaves.items():
        arrays["g" + name] = leaf.grad.numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default=os.path.join(os.path.dirname(__file__), "..", "tests", "golden"))
    options = parser.parse_args()
    r, numbers = random.Random(options.seed), np.random.default_rng(options.seed)
    lines, files = [], {"exact": [], "real": []}
    for i in range(60):
        kind = "real" if i % 4 == 3 else "exact"
        layer = draw(r)
        arrays = data(layer, kind == "exact", numbers)
        run(layer, arrays)
        flat = np.concatenate([arrays[name].ravel() for name in NAMES if name in arrays])
        assert kind == "real" or (flat == flat.astype(np.float32)).all()
        files[kind].append(flat)
        lines.append(kind + "".join(" %s=%s" % (k, ",".join(map(str, v))) for k, v in layer.items()) + "\n")
    for kind, dtype in (("exact", "<f4"), ("real", "<f8")):
        path = os.path.join(options.output, "deform_%s.npy" % kind)
        np.save(path, np.concatenate(files[kind]).astype(dtype))
    with open(os.path.join(options.output, "deform.txt"), "w", encoding="ascii") as index:
        index.writelines(lines)
    print("%d layers" % len(lines))


if __name__ == "__main__":
    main()
