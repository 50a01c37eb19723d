#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every file call of the command fails, in every way that it can.

For every kind of file, read and written: the k-th open, stat, read, write, seek, fsync, close, link and
rename reports an error, alone and with all later ones. The command then ends with exit code 3 and one
line, with every file as it was and no temporary left, or it does without the call and gives the whole
answer. Interrupted calls are repeated and short ones continued. A write that runs into a full disk
half-way, too little memory while that is reported, and the system's limit of the size of a file come
on top.
"""
import errno
import os
import resource

import command
from command import CLOSE, LINK, MEMORY, OPEN, READ, RENAME, SEEK, STAT, SYNC, UNLINK, WRITE

LINES = """
convert x.npy -o old.npy -f
convert x.npy -o new.npy
convert x.safetensors -o old.safetensors -f
convert fortran.npy -o new.safetensors
convert weights.npz:conv1 -o old.npz -f
convert deflated.npz:b/c -o new.npz
convert photo.png -o old.png -f
convert photo.jpg -o new.png
convert sound.wav -o old.wav -f
convert - -o -
convert - -o new.npy --json
matrix w.npy --input-size 4 -o new.mtx
info x.npy weights.npz x.safetensors photo.png photo.jpg
"""
STDIN = "x.npy"
# What the calls can report. EPERM of link is a file system without links: rename serves.
ERRORS = {OPEN: ("EIO", "EMFILE", "ENOSPC"), STAT: ("EIO",), READ: ("EIO",),
          WRITE: ("EIO", "ENOSPC", "EFBIG"), SEEK: ("EIO",), SYNC: ("EIO", "ENOSPC"), CLOSE: ("EIO",),
          LINK: ("EPERM", "EIO", "ENOSPC"), RENAME: ("EIO", "EXDEV"), UNLINK: ("EIO",)}
INTERRUPTED = (OPEN, READ, WRITE, SYNC, CLOSE)
# Runs with more calls of a kind than this are visited at every STEP-th of the later ones.
ALL, STEP = 40, 5


class Line:
    """A command line, what it does when nothing fails, and what is expected when something does."""
    def __init__(self, report, bench, text):
        self.report, self.bench, self.text = report, bench, text
        self.arguments = text.split()
        self.good = self.run()
        report.expect(self.good.code == 0 and self.good.live <= 0, f"{text}: undisturbed: {self.good}")

    def run(self, *faults):
        stdin = STDIN if " - " in self.text else os.devnull
        return self.bench.run(self.arguments, faults, stdin)

    def points(self, call):
        calls = self.good.calls[call]
        return [*range(1, min(calls, ALL) + 1), *range(ALL + 1, calls + 1, STEP)]

    def whole(self, where, *faults):
        """The faults make no difference."""
        self.report.total += 1
        run = self.run(*faults)
        self.report.expect(run.fired > 0 and run.same(self.good), f"{self.text}: {where}: {run}")

    def refused_or_whole(self, where, *faults, temporaries=False):
        self.report.total += 1
        run = self.run(*faults)
        said = f"{self.text}: {where}: {run}"
        self.report.expect(run.fired > 0, f"{said}: did not happen")
        left = {name: content for name, content in run.folder.items()
                if not (temporaries and command.TEMPORARY.fullmatch(name))}
        if run.code == command.DONE:
            whole = run.out == self.good.out and left == self.good.folder
            self.report.expect(whole, f"{said}: not the whole answer")
            return
        self.report.expect(run.code == command.FILE and command.error_line(run), f"{said}: not refused")
        self.report.expect(left == self.bench.begin, f"{said}: the folder changed")
        self.report.expect(run.live <= (command.LIBZIP if ".npz" in self.text else 0),
                           f"{said}: {run.live} blocks not released")


def errors(line):
    for call, names in ERRORS.items():
        for k in line.points(call):
            for name in names:
                number = getattr(errno, name)
                for make in (command.once, command.always):
                    line.refused_or_whole(f"{name} of {command.CALLS[call]} {k} {make.__name__}",
                                          make(call, k, number=number), temporaries=call == UNLINK)


def interruptions(line):
    for call in INTERRUPTED:
        for k in line.points(call):
            line.whole(f"EINTR of {command.CALLS[call]} {k}", command.once(call, k, number=errno.EINTR))
        if line.good.calls[call] > 0:
            line.whole(f"EINTR of every second {command.CALLS[call]}",
                       command.always(call, number=errno.EINTR, step=2))
    for call in (READ, WRITE):
        for most in (1, 7):
            if line.good.calls[call] > 0:
                line.whole(f"{command.CALLS[call]} of {most} bytes at most",
                           command.always(call, action=command.SHORT, number=most))


def stacks(line):
    """A disk that fills within a write, and no memory left when an error is reported."""
    for k in line.points(WRITE):
        line.refused_or_whole(f"write {k} short, the next ENOSPC", command.once(WRITE, k, command.SHORT, 3),
                              command.always(WRITE, 1, number=errno.ENOSPC))
    for call in (OPEN, READ, WRITE, SYNC, RENAME):
        for k in line.points(call):
            alone = command.once(call, k, number=errno.EIO)
            if line.run(alone).code == command.DONE:
                continue  # jansson does without its random numbers
            line.refused_or_whole(f"EIO of {command.CALLS[call]} {k}, then no memory",
                                  command.once(call, k, number=errno.EIO), command.always(MEMORY))


def limited(report, bench):
    """The system's own limit: real short writes, real EFBIG; what is printed goes another way than files."""
    for text in ("convert x.npy -o old.npy -f", "convert photo.png -o old.png -f", "print x.npy",
                 "help conv"):
        line = Line(report, bench, text)
        for size in (0, 1, 100, 700):
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
            process = bench.start(line.arguments)
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            run = bench.finish(process)
            report.total += 1
            told = size < 200 or command.error_line(run)  # standard error is limited as well
            report.expect(run.code == command.FILE and told and run.folder == bench.begin,
                          f"{text}: files of at most {size} bytes: {run}")


def main():
    command.need_library()
    bench, report = command.Bench(), command.Report()
    for text in LINES.strip().splitlines():
        before = report.total
        line = Line(report, bench, text)
        errors(line)
        interruptions(line)
        stacks(line)
        counts = enumerate(line.good.calls)
        calls = ", ".join(f"{n} {command.CALLS[call]}" for call, n in counts if n and call != MEMORY)
        report.line(f"{report.total - before:6}  {text}  ({calls})")
    limited(report, bench)
    bench.close()
    report.end("failure points of files in the command")


main()
