# SPDX-License-Identifier: BSD-3-Clause
"""What the checks of this folder share: which files there are, C without comments, and reporting.

Every check is `check_<what>.py [ROOT]`: it reads the tree at ROOT (default: this one), prints one line
`file:line: what is wrong` for each finding and exits 1 when there is any. Standard library only.
"""
import pathlib
import re
import sys

ROOMS = ("include", "src", "io", "draw", "cli", "tests", "bench", "examples", "tools", "docs", "cmake")
TOP = ("CMakeLists.txt", "CMakePresets.json", "Makefile", "README.md", "CONTRIBUTING.md", ".ci/run")
TEXT = {".c", ".h", ".inc", ".py", ".sh", ".cmake", ".md", ".txt", ".in", ".map"}


def root():
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()


def files(base, *suffixes):
    """Paths below `base`, relative and sorted, of the project's text files with one of the suffixes."""
    wanted = set(suffixes) or TEXT
    found = [p for room in ROOMS for p in (base / room).rglob("*") if p.is_file() and p.suffix in wanted]
    if not suffixes:
        found += [base / name for name in TOP if (base / name).is_file()]
    return sorted(p.relative_to(base) for p in found if "__pycache__" not in p.parts)


def read(base, path):
    return (base / path).read_text(encoding="utf-8")


_TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)


def code(text):
    """C source with comments, strings and characters blanked; every line and column keeps its place."""
    return _TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


class Report:
    """Collects findings: errors fail the check, warnings are only shown."""

    def __init__(self):
        self.errors = 0

    def error(self, path, line, message):
        self.errors += 1
        print(f"{path}:{line}: {message}")

    def warn(self, path, line, message):
        print(f"{path}:{line}: warning: {message}")

    def finish(self):
        sys.exit(1 if self.errors else 0)
