#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every allocation of every verb fails, alone and with all later ones.

The lines are the examples of the help texts, so that no verb can be forgotten, and some more. At each
point the command ends with exit code 4 and one line, or does without the memory and gives the whole
answer. It leaves no block unreleased, and every file is as it was before.
"""
import command
from command import MEMORY

# The first ALL allocations of a line are visited, then every STEP-th, or LATER of them in all.
ALL, STEP, LATER = (8, 31, 4) if command.SANITIZED else (100, 7, 50)
# Besides the examples: what they do not reach.
MORE = """
conv x.npy w.npy -o old.npy -f
conv x.npy w.npy --json -o y.safetensors
conv x.npy w.npy --padding 1 --padding-mode reflect -o new.npz:a -v
conv-transpose gy.npy w.npy --json
grad conv x.npy w.npy gy.npy --grad-input old.npy --grad-weight old.npz --grad-bias new.npy -f --json
convert photo.png -o old.png -f
convert x.safetensors -o old.npz -f
convert x.npy -o old.safetensors -f
convert fortran.npy --dtype f16 -o -
convert sound.wav -o old.wav -f
info sound.wav
print deflated.npz
print palette.png --layout nhwc --json
print photo.jpg
print x.safetensors:tensor
info -v x.npy weights.npz photo.png photo.jpg x.safetensors deflated.npz --json
info weights.npz:conv1
info damaged.npy
info damaged.npz
info damaged.png
info damaged.safetensors
matrix [[1,2],[3,4]] --input-size 3 --json
matrix w.npy --input-size 8 --padding 1 -o old.npy -f
receptive-field layers.json --json
explain conv x.npy w.npy --at 0,0,1,1 --json
filter photo.jpg --kernel gaussian --size 5 -o new.png
generate constant --shape 40000000000000
help --man
conv missing.npy w.npy
conv x.npy [1,2
--version
"""


def by_cairo(arguments):
    """A picture that cairo makes. It keeps caches until the process ends, and its PNG writer does not survive a
    failing allocation: these lines are not visited. SVG is written without it.
    """
    return arguments[0] in ("draw", "animate") and arguments[-1].endswith((".png", ".pdf", ".gif"))


def points(calls):
    return [*range(1, min(ALL, calls) + 1), *range(ALL + 1, calls + 1, max(STEP, (calls - ALL) // LATER))]


def check(report, bench, good, run, where):
    """One failure point."""
    said = f"{where}: {run}"
    report.expect(run.fired > 0, f"{said}: did not happen")
    report.expect(run.signal == 0, f"{said}: killed")
    spared = command.LIBZIP if ".npz" in where else 0
    report.expect(run.live <= spared or run.ended, f"{said}: {run.live} blocks not released")
    if run.code == command.MEMORY_EXIT and good.code != command.MEMORY_EXIT:
        report.expect(command.error_line(run), f"{said}: no error line")
        report.expect(run.folder == bench.begin, f"{said}: a file was written")
    else:
        report.expect(run.same(good), f"{said}: neither refused nor the whole answer")


def visit(report, bench, arguments):
    line = " ".join(arguments)
    good = bench.run(arguments)
    report.expect(good.signal == 0 and good.live <= 0, f"{line}: undisturbed: {good}, {good.live} live")
    before = report.total
    for make in (command.once, command.always):
        for k in points(good.calls[MEMORY]):
            report.total += 1
            found = bench.run(arguments, [make(MEMORY, k)])
            check(report, bench, good, found, f"{line}: allocation {k} {make.__name__}")
    report.line(f"{report.total - before:6} of {2 * good.calls[MEMORY]:6}  {line}")
    return good


def main():
    command.need_library()
    bench = command.Bench()
    report = command.Report()
    for line in MORE.splitlines():
        if line:
            visit(report, bench, line.split())
    for arguments in bench.examples():
        if not by_cairo(arguments):
            visit(report, bench, arguments)
        bench.keep(arguments)
    bench.close()
    report.end("failure points of allocation in the command")


main()
