# SPDX-License-Identifier: BSD-3-Clause
"""Makes tests/golden/pool.txt and pool.npy: pooling, unpooling, up-sampling and padding by PyTorch.

    python3 tools/torch_golden_pool.py [--seed 1] [--output tests/golden]

pool.txt has one line a case: its kind and every parameter, as test_pool.c reads them. pool.npy holds
float64: x, y, indices (max only), gy, gx of every case, one after another. Left out are the cases that
PyTorch 1.13 refuses or gets wrong: windows without any cell, padding beyond half a kernel, Lp of
negative numbers or in ceil mode, and nearest neighbours whose float32 position rounds to another cell.
"""
import argparse
import os
import random

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
POOLS = {"max": (F.max_pool1d, F.max_pool2d, F.max_pool3d),
         "average": (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d),
         "adaptive-max": (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d),
         "adaptive-average": (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d),
         "unpool": (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)}
REPEATS = {"max": 14, "average": 14, "lp": 4, "adaptive-max": 4, "adaptive-average": 4, "unpool": 3,
           "linear": 6, "linear-corners": 6, "nearest": 4, "pad": 12}
SIZES = {1: (3, 12), 2: (3, 7), 3: (2, 4)}
LARGEST = 110  # numbers of a case


def draw(kind, rank, r):
    """The parameters of a case; an axis at a time."""
    low, high = SIZES[rank]
    case = {"n": r.randint(1, 2), "c": r.randint(1, 2), "input": [], "kernel": [], "stride": [],
            "dilation": [], "padding": [], "output": [], "ceil": 0, "exclude": 0, "divisor": 0, "norm": 0,
            "mode": 0}
    for _ in range(rank):
        i, k = r.randint(low, high), r.randint(1, 3)
        case["input"].append(i)
        case["kernel"].append(k)
        case["stride"].append(r.randint(1, 3))
        case["dilation"].append(r.randint(1, 2) if kind == "max" else 1)
        case["padding"].append(r.randint(0, k // 2) if kind in ("max", "average") else 0)
        upsampled = kind in ("linear", "linear-corners", "nearest")
        case["output"].append(r.randint(1, 2 * i if upsampled else i + 2))
    if kind in ("max", "average"):
        case["ceil"] = r.randint(0, 1)
    if kind == "average":
        case["exclude"] = r.randint(0, 1)
        case["divisor"] = r.choice([0, 0, 3, -2]) if rank > 1 else 0
    if kind == "lp":
        case["norm"] = r.choice([1, 2, 3])
    if kind == "pad":
        case["mode"] = r.choice(["constant", "reflect", "replicate", "circular"])
        case["padding"] = [r.randint(0, i - 1) for i in case["input"]]
        case["output"] = [i + p + r.randint(0, i - 1) for i, p in zip(case["input"], case["padding"])]
    return case


def tuple_of(numbers):
    return tuple(numbers) if len(numbers) > 1 else numbers[0]


def forward(kind, case, x, indices):
    """y and the indices, or None."""
    rank = len(case["input"])
    window = [tuple_of(case[name]) for name in ("kernel", "stride", "padding")]
    if kind == "max":
        return POOLS[kind][rank - 1](x, *window, tuple_of(case["dilation"]), ceil_mode=bool(case["ceil"]),
                                     return_indices=True)
    if kind == "average":
        more = {} if rank == 1 else {"divisor_override": case["divisor"] or None}
        return POOLS[kind][rank - 1](x, *window, bool(case["ceil"]), not case["exclude"], **more), None
    if kind == "lp":  # lp_pool has no 3-D; for positive numbers it is the root of a sum
        sums = POOLS["average"][rank - 1](x ** case["norm"], window[0], window[1]) * np.prod(case["kernel"])
        return sums ** (1 / case["norm"]), None
    if kind == "adaptive-max":
        return POOLS[kind][rank - 1](x, tuple_of(case["output"]), return_indices=True)
    if kind == "adaptive-average":
        return POOLS[kind][rank - 1](x, tuple_of(case["output"])), None
    if kind == "unpool":
        return POOLS[kind][rank - 1](x, indices, window[0], output_size=case["input"]), None
    if kind == "nearest":
        return F.interpolate(x, case["output"], mode="nearest"), None
    if kind == "pad":
        pads = []
        for i, p, o in reversed(list(zip(case["input"], case["padding"], case["output"]))):
            pads += [p, o - i - p]
        return F.pad(x, pads, mode=case["mode"]), None
    mode = ("linear", "bilinear", "trilinear")[rank - 1]
    return F.interpolate(x, case["output"], mode=mode, align_corners=kind == "linear-corners"), None


def data(kind, shape, r):
    x = r.integers(-4, 5, shape).astype(np.float64)
    if kind == "lp":
        x = r.integers(1, 9, shape).astype(np.float64)
    if kind in ("max", "adaptive-max"):
        x[r.uniform(size=shape) < 0.04] = np.nan
        x[r.uniform(size=shape) < 0.1] = np.inf
    return x


def sound(kind, case, x, y):
    """Is this a case that PyTorch gets right?"""
    if kind in ("max", "adaptive-max"):
        return not torch.isinf(y).logical_and(y < 0).any()
    if kind == "nearest":
        numbers = torch.arange(x.numel(), dtype=torch.float64).reshape(x.shape)
        picked = F.interpolate(numbers, case["output"], mode="nearest")
        for axis, (i, o) in enumerate(zip(case["input"], case["output"])):
            numbers = numbers.index_select(axis + 2, torch.tensor([j * i // o for j in range(o)]))
        return torch.equal(numbers, picked)
    return True


def run(kind, case, r):
    """The arrays of one case, or None when PyTorch refuses it or gets it wrong."""
    shape, indices = [case["n"], case["c"]] + case["input"], None
    if any(k > i for k, i in zip(case["kernel"], case["input"])):
        return None
    if kind == "unpool":  # x is what pooling without overlap leaves of a plane
        plane = torch.from_numpy(r.permutation(int(np.prod(shape))).reshape(shape).astype(np.float64))
        pool = POOLS["max"][len(case["input"]) - 1]
        _, indices = pool(plane, tuple_of(case["kernel"]), return_indices=True)
        shape = list(indices.shape)
    x = torch.from_numpy(data(kind, shape, r)).requires_grad_()
    try:
        y, found = forward(kind, case, x, indices)
    except RuntimeError:
        return None
    if y.numel() == 0 or not sound(kind, case, x.detach(), y.detach()):
        return None
    gy = torch.from_numpy(r.integers(-4, 5, list(y.shape)).astype(np.float64))
    y.backward(gy)
    indices = found if found is not None else indices
    case["result"] = list(y.shape[2:])
    if kind == "unpool":
        case["output"], case["input"] = case["input"], list(shape[2:])
    return [x.detach(), y.detach()] + ([] if indices is None else [indices.double()]) + [gy, x.grad]


def describe(kind, case):
    words = [kind]
    for name, value in case.items():
        words.append("%s=%s" % (name, ",".join(map(str, value)) if isinstance(value, list) else value))
    return " ".join(words) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default=os.path.join(os.path.dirname(__file__), "..", "tests", "golden"))
    options = parser.parse_args()
    shapes, numbers = random.Random(options.seed), np.random.default_rng(options.seed)
    lines, parts = [], []
    for kind, repeats in REPEATS.items():
        for rank in (1, 2, 3):
            done = 0
            while done < repeats:
                case = draw(kind, rank, shapes)
                arrays = run(kind, case, numbers)
                if arrays is None or sum(a.numel() for a in arrays) > LARGEST:
                    continue
                done += 1
                parts += [a.numpy().ravel() for a in arrays]
                lines.append(describe(kind, case))
    np.save(os.path.join(options.output, "pool.npy"), np.concatenate(parts).astype("<f8"))
    with open(os.path.join(options.output, "pool.txt"), "w", encoding="ascii") as index:
        index.writelines(lines)
    print("%d cases" % len(lines))


if __name__ == "__main__":
    main()
