# SPDX-License-Identifier: BSD-3-Clause
"""Compares faltung with PyTorch on random layers, forward and gradients.

    python3 tools/torch_random.py --draws 2000 --seed 1 [--faltung build/faltung] [--command 200]

Every element must lie within 8*sqrt(n)*u*S of PyTorch's: n products with absolute values summing to
S (the bias included), u the unit roundoff. Most draws go through the shared library beside the
command; `--command` of them through the command itself, with .npy files. A third runs channels-last.
Exit status 1 when an element lies outside; the layer is printed with its number, and
`--first NUMBER --draws 1` repeats it.
"""
import argparse
import os
import random
import sys

import numpy as np

import torch_draw as td
import torch_library as tl


def draw_layer(seed, number):
    """The layer and its x, w, b, gy: a function of seed and number alone."""
    r = random.Random("%d %d" % (seed, number))
    kind = r.choice(("conv", "conv", "conv-transpose"))
    mode = r.choice(("zeros", "zeros", "reflect", "replicate", "circular")) if kind == "conv" else "zeros"
    layer = td.draw(r, r.choice((1, 2, 2, 3)), kind, r.choice(("f32", "f64")), mode, 100000)
    numbers = np.random.default_rng([seed, number])
    shapes = [td.x_shape(layer), td.w_shape(layer), [layer["groups"] * layer["oc"]], td.y_shape(layer)]
    arrays = [numbers.uniform(-1, 1, s).astype(td.NUMPY[layer["dtype"]]) for s in shapes]
    if not layer["bias"]:
        arrays[2] = None
    return layer, arrays


def worst_ratio(actual, expected, bound):
    """The largest |difference| / bound; infinite for a wrong shape, a NaN, or a difference without
    any allowance."""
    if actual.shape != expected.shape:
        return np.inf
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(difference == 0, 0, difference / bound)
    return np.inf if np.isnan(ratio).any() else float(ratio.max(initial=0))


def check(run, layer, arrays):
    """Returns the largest ratio over the results and the name of its result."""
    expected, bounds = td.run(layer, *arrays), td.bounds(layer, *arrays)
    actual = run(layer, *arrays)
    ratios = [(worst_ratio(actual[k], expected[k], bounds[k]), k)
              for k in td.RESULTS if expected[k] is not None]
    return max(ratios)


def library_beside(command):
    folder = os.path.dirname(os.path.abspath(command))
    for name in ("libfaltung.so", "libfaltung.dylib"):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    sys.exit("torch_random.py: no shared library beside %s" % command)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--command", type=int, default=200, help="draws that go through the command")
    parser.add_argument("--faltung", default="build/faltung")
    options = parser.parse_args()
    library, command = tl.Library(library_beside(options.faltung)), tl.Command(options.faltung)
    every = max(1, options.draws // options.command) if options.command > 0 else 0
    failures, commands, worst = 0, 0, (0.0, "", "")
    for number in range(options.first, options.first + options.draws):
        layer, arrays = draw_layer(options.seed, number)
        by_command = every > 0 and number % every == 0
        commands += by_command
        runner = command.run if by_command else library.run
        try:
            ratio, result = check(lambda *a: runner(*a, last=number % 3 == 2), layer, arrays)
        except RuntimeError as refusal:
            ratio, result = np.inf, str(refusal)
        line = "--seed %d --first %d --draws 1: %s" % (options.seed, number, td.describe(layer))
        worst = max(worst, (ratio, result, line))
        if ratio > 1:
            failures += 1
            print("FAIL %s %s ratio %.3g\n  %s" % ("command" if by_command else "library", result, ratio, line))
    print("%d draws (%d through the command), %d failures" % (options.draws, commands, failures))
    print("largest ratio to the bound: %.4f (%s)\n  %s" % worst)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
