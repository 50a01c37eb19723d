# SPDX-License-Identifier: BSD-3-Clause
"""Makes tests/golden/: small convolution layers with their results by PyTorch.

    python3 tools/torch_golden.py [--seed 1] [--output tests/golden]

Every cell of (operator, rank, padding mode, type) holds several random layers with forward result
and gradients. Most data are small integers, for which every correct implementation gives the same
numbers; they are stored as int16. Every fifth layer has real data.

    index.txt    one line a layer, as torch_draw.describe writes it, with "exact" or "real" before it
    exact.npy    int16: x, w, b, gy, y, gx, gw, gb of every exact layer, one after another
    real32.npy   the same of real layers in float32
    real64.npy   and in float64

The real results are computed in float64 and rounded once, so that the bound need not cover PyTorch's
own rounding.
"""
import argparse
import os
import random

import numpy as np

import torch_draw as td

CELLS = [("conv", mode, 7) for mode in ("zeros", "reflect", "replicate", "circular")]
CELLS += [("conv-transpose", "zeros", 16)]


def data(layer, exact, r):
    """x, w, b (or None) and gy in the layer's type."""
    shapes = [td.x_shape(layer), td.w_shape(layer), [layer["groups"] * layer["oc"]], td.y_shape(layer)]
    kind = td.NUMPY[layer["dtype"]]
    arrays = [(r.integers(-4, 5, s) if exact else r.uniform(-1, 1, s)).astype(kind) for s in shapes]
    if not layer["bias"]:
        arrays[2] = None
    return arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default=os.path.join(os.path.dirname(__file__), "..", "tests", "golden"))
    options = parser.parse_args()
    shapes, numbers = random.Random(options.seed), np.random.default_rng(options.seed)
    lines, files = [], {"exact": [], "real32": [], "real64": []}
    for kind, mode, repeats in CELLS:
        for rank in (1, 2, 3):
            for dtype in ("f32", "f64"):
                for repeat in range(repeats):
                    layer = td.draw(shapes, rank, kind, dtype, mode, 4000)
                    exact = repeat % 5 != 4
                    arrays = data(layer, exact, numbers)
                    wide = [None if a is None else a.astype(np.float64) for a in arrays]
                    results = td.run(layer, *(arrays if exact else wide))
                    arrays += [results[k] for k in td.RESULTS]
                    flat = np.concatenate([a.ravel() for a in arrays if a is not None])
                    assert not exact or (np.abs(flat).max() < 2**15 and (flat == np.round(flat)).all())
                    files["exact" if exact else "real" + dtype[1:]].append(flat)
                    lines.append("%s %s\n" % ("exact" if exact else "real", td.describe(layer)))
    types = {"exact": "<i2", "real32": "<f4", "real64": "<f8"}
    for name, parts in files.items():
        np.save(os.path.join(options.output, name + ".npy"), np.concatenate(parts).astype(types[name]))
    with open(os.path.join(options.output, "index.txt"), "w", encoding="ascii") as index:
        index.writelines(lines)
    print("%d layers" % len(lines))


if __name__ == "__main__":
    main()
