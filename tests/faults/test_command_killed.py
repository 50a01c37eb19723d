#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A command that is killed while it writes leaves the old file, none, or the complete new one.

SIGINT, SIGTERM and SIGKILL arrive before and after every file call, and at random moments of a longer
write. Only SIGKILL, which nobody can answer, may leave a temporary, under its own recognisable name.
"""
import os
import random
import signal
import sys
import time

import command
from command import CLOSE, LINK, OPEN, RENAME, SYNC, UNLINK, WRITE

LINES = """
convert x.npy -o old.npy -f
convert x.npy -o new.npy
convert x.npy -o old.npz -f
convert x.npy -o new.safetensors
convert photo.png -o old.png -f
matrix w.npy --input-size 8 --padding 1 -o new.mtx
grad conv x.npy w.npy gy.npy --grad-input old.npy --grad-weight old.npz --grad-bias new.npy -f
"""
# Files of 2 MiB and 256 KiB, written in one piece and in many.
LONG = ("generate random --shape 512,1024 -o old.npy -f", "generate random --shape 512,1024 -o new.npz",
        "generate random --low 0 --shape 256,1024 -o old.png -f")
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: None}
MOMENTS = 8 if command.SANITIZED else 25


def check(report, bench, good, run, number, where):
    report.total += 1
    said = f"{where}: {run}"
    ended = run.signal == number or run.code == SIGNALS[number]
    # A signal that comes before the handler ends the program by itself; one that comes late finds it done.
    report.expect(ended or run.same(good), f"{said}: neither killed nor done")
    for name, content in run.folder.items():
        left = number == signal.SIGKILL and command.TEMPORARY.fullmatch(name)
        report.expect(left or content in (bench.begin.get(name), good.folder.get(name)),
                      f"{said}: {name} is damaged" if name in good.folder else f"{said}: {name} is left")
    report.expect(bench.begin.keys() <= run.folder.keys(), f"{said}: a file is gone")


def at_every_call(report, bench, text):
    good = bench.run(text.split())
    before = report.total
    for call in (OPEN, WRITE, SYNC, CLOSE, LINK, RENAME, UNLINK):
        for k in range(1, good.calls[call] + 1):
            for number in SIGNALS:
                for action, when in ((command.BEFORE, "before"), (command.AFTER, "after")):
                    run = bench.run(text.split(), [command.once(call, k, action, number)])
                    where = f"{text}: {command.signal_name(number)} {when} {command.CALLS[call]} {k}"
                    report.expect(run.fired > 0, f"{where}: did not happen")
                    check(report, bench, good, run, number, where)
    report.line(f"{report.total - before:6}  {text}")


def at_random_moments(report, bench, text, seed):
    """Without the library in between, so that the moment is anywhere."""
    whole = float("inf")
    for _ in range(3):
        clock = time.monotonic()
        good = bench.finish(bench.start(text.split(), preload=False))
        whole = min(whole, time.monotonic() - clock)
    moments, killed = random.Random(seed), 0
    for number in SIGNALS:
        for _ in range(MOMENTS):
            pause = moments.uniform(0, 1.1 * whole)
            process = bench.start(text.split(), preload=False)
            time.sleep(pause)
            os.kill(process, number)
            run = bench.finish(process)
            killed += not run.same(good)
            where = f"{text}: {command.signal_name(number)} after {pause:.6f} s"
            check(report, bench, good, run, number, where)
    report.line(f"{MOMENTS * len(SIGNALS):6}  {text}  ({killed} killed before the end, seed {seed})")


def main():
    command.need_library()
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    bench, report = command.Bench(), command.Report()
    for text in LINES.strip().splitlines():
        at_every_call(report, bench, text)
    for text in LONG:
        at_random_moments(report, bench, text, seed)
    bench.close()
    report.end("moments of being killed")


main()
