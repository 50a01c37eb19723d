# SPDX-License-Identifier: BSD-3-Clause
"""Compares every operator of faltung with PyTorch on random cases, forward and gradients.

    python3 tools/torch_random_all.py --draws 3000 --seed 1 [--faltung build/faltung] [--command 300]

Two in five draws are convolutions as torch_random.py draws them, the rest the operators of
torch_cases.py. Results that only move numbers, and integers, must be equal; every other element must lie
within 8*sqrt(n)*u*S of PyTorch's in float64 (deformable: 16), n terms with absolute values summing to S, u
the unit roundoff. `--command` of the draws go through the command with .npy files, the others through the
shared library beside it; a third runs channels-last. Exit status 1 when an element lies outside;
`--first NUMBER --draws 1` repeats one.
"""
import argparse
import collections
import sys

import numpy as np

import torch_cases as tc
import torch_draw as td
import torch_library as tl
import torch_operators as to
import torch_random as tr


def compare(name, case, actual, expected, bound):
    """The largest |difference| / bound; infinite where equality was asked for and is not there."""
    if name not in case.exact:
        return tr.worst_ratio(actual, expected, bound)
    same = np.array_equal(actual.astype(np.float64), expected, equal_nan=True)
    return 0.0 if same else np.inf


def check_operator(faltung, seed, number, last):
    """(operator, largest ratio, its result, a line that describes the case)"""
    case = tc.draw(seed, number)
    expected, bounds = case.expected(), case.bounds()
    line = "%s %s %s" % (case.dtype, {k: v.shape for k, v in case.inputs.items()}, case.options)
    try:
        by = to.by_library if isinstance(faltung, tl.Library) else to.by_command
        actual = by(faltung, case, expected, last)
    except RuntimeError as refusal:
        return case.operator, np.inf, str(refusal), line
    ratios = [(compare(k, case, actual[k], expected[k], bounds.get(k)), k) for k in expected]
    return (case.operator,) + max(ratios) + (line,)


def check_convolution(faltung, seed, number, last):
    layer, arrays = tr.draw_layer(seed, number)
    try:
        ratio, result = tr.check(lambda *a: faltung.run(*a, last=last), layer, arrays)
    except RuntimeError as refusal:
        ratio, result = np.inf, str(refusal)
    return layer["kind"], ratio, result, td.describe(layer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--draws", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--command", type=int, default=300, help="draws that go through the command")
    parser.add_argument("--faltung", default="build/faltung")
    options = parser.parse_args()
    library, command = tl.Library(tr.library_beside(options.faltung)), tl.Command(options.faltung)
    every = max(1, options.draws // options.command) if options.command > 0 else 0
    failures, counts, commands, worst = 0, collections.Counter(), collections.Counter(), {}
    for number in range(options.first, options.first + options.draws):
        faltung = command if every > 0 and number // 5 % every == 0 else library
        check = check_convolution if number % 5 < 2 else check_operator
        operator, ratio, result, line = check(faltung, options.seed, number, number % 3 == 2)
        counts[operator] += 1
        commands[operator] += faltung is command
        worst[operator] = max(worst.get(operator, (0.0, "")), (ratio, result))
        if ratio > 1:
            failures += 1
            print("FAIL %s %s ratio %.3g %s\n  --seed %d --first %d --draws 1: %s" % (
                operator, "command" if faltung is command else "library", ratio, result, options.seed, number,
                line))
    for operator in sorted(counts):
        print("%-18s %5d draws, %4d by the command, largest ratio %.4f (%s)" % (
            (operator, counts[operator], commands[operator]) + worst[operator]))
    print("%d draws (%d through the command), %d failures" % (
        options.draws, sum(commands.values()), failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
