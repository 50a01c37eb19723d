# SPDX-License-Identifier: BSD-3-Clause
"""coverage.py BUILD: how many lines of each room the tests ran, from gcov's notes in a coverage build.

A file compiled several times (kernels, headers) counts a line as run when any of them ran it.
"""
import collections
import json
import pathlib
import subprocess
import sys


def lines_run(build, source_root):
    """{file: {line: times}} of the project's own files outside tests/."""
    counts = collections.defaultdict(collections.Counter)
    for notes in sorted(build.rglob("*.gcda")):
        result = subprocess.run(["gcov", "--json-format", "--stdout", str(notes)], cwd=build, check=True,
                                capture_output=True, text=True)
        for report in map(json.loads, result.stdout.splitlines()):
            for entry in report["files"]:
                path = (pathlib.Path(report["current_working_directory"]) / entry["file"]).resolve()
                if source_root not in path.parents or "tests" in path.relative_to(source_root).parts:
                    continue
                for line in entry["lines"]:
                    counts[path.relative_to(source_root)][line["line_number"]] += line["count"]
    return counts


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    counts = lines_run(build, pathlib.Path(__file__).parent.parent.resolve())
    if not counts:
        sys.exit(f"{build} holds no coverage: build the preset `coverage` and run its tests")
    rooms = collections.defaultdict(lambda: [0, 0])
    for path, lines in sorted(counts.items()):
        run, total = sum(1 for times in lines.values() if times), len(lines)
        print(f"{100 * run / total:6.1f} %  {run:5} of {total:5}  {path}")
        for key in (str(path.parent), "all"):
            rooms[key][0] += run
            rooms[key][1] += total
    print()
    for room, (run, total) in rooms.items():
        print(f"{100 * run / total:6.1f} %  {run:5} of {total:5}  {room}")


main()
