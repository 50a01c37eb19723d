# SPDX-License-Identifier: BSD-3-Clause
"""The layer law: a room includes only itself, the public header, and the rooms its row names.

LAW is the one place where the law is written. A row may name only rooms above it, so the rooms cannot
form a circle.
"""
import re

import source

LAW = {
    "base": "",
    "tensor": "base",
    "cpu": "base",
    "threads": "base",
    "geometry": "base tensor",
    "reference": "base tensor geometry",
    "lowering": "base tensor geometry",
    "kernels": "base cpu",
    "solvers": "base tensor cpu threads geometry kernels",
    "planner": "base tensor cpu threads geometry kernels solvers",
    "operators": "base tensor cpu threads geometry kernels solvers planner",
    "layers": "base tensor geometry operators",
    # Around the library: through the public header only.
    "io": "",
    "draw": "",
    "bench": "",
    "cli": "io draw bench",
    "examples": "",
    # Tests may look inside, except those of the command and of its files.
    "tests/support": "base tensor geometry",
    "tests/cli": "io draw cli tests/support",
    "tests/io": "io tests/support",
    "tests": "base tensor cpu threads geometry reference lowering kernels solvers planner operators"
             " layers io draw tests/support tests/io",
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def room_of(path):
    """The row of LAW that a file or header belongs to; "include" for the public header."""
    parts = path.parts
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    if parts[0] == "tests" and "/".join(parts[:2]) in LAW:
        return "/".join(parts[:2])
    return parts[0]


def find(base, includer, name):
    """Where a quoted include is found, in the order of the build's include folders."""
    for folder in (includer.parent, "include", "src", "", "tests"):
        candidate = (base / folder / name).resolve()
        if candidate.is_file() and base in candidate.parents:
            return candidate.relative_to(base)
    return None


def check_file(base, path, report):
    room = room_of(path)
    if room == "include":
        allowed = set()
    elif room not in LAW:
        report.error(path, 1, f"room {room!r} is not in the layer law (tools/check_layers.py)")
        return
    else:
        allowed = {room, "include", *LAW[room].split()}
    text = source.read(base, path)
    for match in INCLUDE.finditer(text):
        line = source.line_of(text, match.start(2))
        target = find(base, path, match[2])
        if match[1] == '"' and target is None:
            report.error(path, line, f'"{match[2]}" does not exist')
        elif target is not None and room_of(target) not in allowed:
            report.error(path, line, f"{room} must not use {room_of(target)} ({match[2]})")


def main():
    base, report = source.root(), source.Report()
    rows = list(LAW)
    for index, room in enumerate(rows):
        for used in LAW[room].split():
            if used not in rows[:index]:
                report.error("tools/check_layers.py", 1, f"{room} names {used}, which is not above it")
    for path in source.files(base, ".c", ".h", ".inc"):
        check_file(base, path, report)
    report.finish()


main()
