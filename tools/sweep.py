# SPDX-License-Identifier: BSD-3-Clause
"""Looks for cliffs: times random layers, each against a plain one of about as many operations.

    python3 tools/sweep.py [--command build/faltung] [--count 100] [--seed 1] [--seconds 0.02]

A random layer has odd channels, strides, dilations and groups, in 1-D, 2-D and 3-D, forward, transposed and
as both gradients. The plain one has the same operator, axes and kernel, as many channels as a group has,
rounded to a multiple of 16, stride and dilation 1. A layer may take as long as its operations take at the
plain layer's rate, and as its bytes take to be copied: `part` is that over its time. Printed are a histogram
for each layout, with and without the bytes, and the slowest layers.
"""
import argparse
import json
import math
import random
import subprocess
import sys

OPERATORS = ["conv"] * 5 + ["conv-transpose"] * 2 + ["grad-input", "grad-weight"]
LEAST, MOST = 1e6, 6e7  # multiply-adds of a layer
EDGES = [0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, math.inf]


def by(values):
    return "x".join(map(str, values))


def draw(rng):
    """A layer as (line, plain line), or None when its size is not wanted."""
    op, axes = rng.choice(OPERATORS), rng.choice([1, 2, 2, 2, 3])
    groups = rng.choice([1, 1, 1, 1, 2, 3, 5, 8])
    ic, oc = groups * rng.randint(1, 96 // groups), groups * rng.randint(1, 96 // groups)
    if rng.random() < 0.15:
        groups = ic
        oc = ic * rng.choice([1, 1, 2])
    kernel = [rng.choice([1, 2, 3, 3, 4, 5] + [7, 9] * (axes == 1)) for _ in range(axes)]
    stride, dilation = rng.choice([1, 1, 2, 3, 4]), rng.choice([1, 1, 1, 2, 3])
    size = [rng.randint({1: 100, 2: 7, 3: 4}[axes], {1: 4000, 2: 90, 3: 24}[axes]) for _ in range(axes)]
    padding, batch = rng.randint(0, 2), rng.choice([1, 1, 1, 2, 5])
    reach = [dilation * (k - 1) + 1 for k in kernel]
    if op == "conv-transpose":
        out = [(i - 1) * stride - 2 * padding + r for i, r in zip(size, reach)]
        places = math.prod(size)
    else:
        out = [(i + 2 * padding - r) // stride + 1 for i, r in zip(size, reach)]
        places = math.prod(out) if min(out) > 0 else 0
    work = batch * places * ic // groups * oc * math.prod(kernel)
    if min(out) < 1 or not LEAST <= work <= MOST:
        return None
    line = f"{op} n{batch} ic{ic} oc{oc} g{groups} in{by(size)} k{by(kernel)} s{stride} d{dilation} p{padding}"
    channels = 16 * max(1, round(math.sqrt(ic * oc) / groups / 16))
    side = max(2, round((work / math.prod(kernel) / channels**2) ** (1 / axes)))
    return line, f"{op} ic{channels} oc{channels} in{by([side] * axes)} k{by(kernel)} psame"


def measure(command, lines, seconds):
    """What is told of each (line, layout), and how many GB/s a copy moves."""
    words = [command, "bench", "--layers", "-", "--json", "--threads", "1", "--seconds", str(seconds)]
    done = subprocess.run(words, input="\n".join(lines), capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    told = json.loads(done.stdout)
    ours = {(run["layer"], run["layout"]): run["contenders"][0] for run in told["runs"]}
    return ours, told["copy_gb_per_s"]


def report(pairs, told, copy, layout):
    rows = []
    for line, plain in pairs:
        ours, other = told[line, layout], told[plain, layout]
        rate = ours["gflops"] / other["gflops"]
        rows.append((rate + ours["gb_per_s"] / copy, rate, line, ours, other))
    rows.sort(key=lambda row: row[0])
    print(f"{layout}: {len(rows)} layers{'part':>12}{'rate alone':>13}")
    for low, high in zip(EDGES, EDGES[1:]):
        part, rate = (sum(low <= row[i] < high for row in rows) for i in (0, 1))
        print(f"  {low:5.2f} .. {high:5.2f} {part:12} {rate:12}  {'#' * round(60 * part / len(rows))}")
    print("   part  rate")
    for part, rate, line, ours, other in rows[:8]:
        print(f"  {part:5.2f} {rate:5.2f}  {line}  [{ours['detail']}: {ours['time_ns'] / 1e3:.0f} us, "
              f"{ours['gflops']:.1f} GFLOP/s, {ours['gb_per_s']:.1f} GB/s; plain {other['gflops']:.1f} GFLOP/s]")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default="build/faltung")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.02)
    options = parser.parse_args()
    rng, pairs = random.Random(options.seed), []
    while len(pairs) < options.count:
        pair = draw(rng)
        if pair and pair[0] not in (line for line, _ in pairs):
            pairs.append(pair)
    told, copy = measure(options.command, sorted({line for pair in pairs for line in pair}), options.seconds)
    for layout in ("nchw", "nhwc"):
        report(pairs, told, copy, layout)


main()
