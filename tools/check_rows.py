# SPDX-License-Identifier: BSD-3-Clause
"""Rows and files match: every solver file and every verb file has its row in the table of its room, and
every row its file; every path that the documentation names exists."""
import re

import source

# Table, what a row begins with, the file that belongs to the row NAME. A file that starts with the same
# word and is no row is an error; so helpers of a room have other names.
TABLES = [
    ("src/solvers/solvers.inc", "FAL__SOLVER", "src/solvers/", "{}.c"),
    ("cli/verbs.inc", "VERB", "cli/", "verb_{}.c"),
]
PATH = re.compile(r"`((?:include|src|io|draw|cli|tests|tools|docs|cmake|examples|bench|\.ci)/[^`\s]*)`|"
                  r"\]\((?!https?:|#)([^)\s#]+)[^)]*\)")


def check_table(base, report, table, word, folder, pattern):
    if not (base / table).is_file():
        report.error(table, 1, "does not exist")
        return
    text = source.code(source.read(base, table))
    rows = {m[1]: source.line_of(text, m.start()) for m in re.finditer(rf"^{word}\((\w+)", text, re.M)}
    for name, line in rows.items():
        if not (base / folder / pattern.format(name)).is_file():
            report.error(table, line, f"the row {name} has no file {folder}{pattern.format(name)}")
    for path in sorted((base / folder).glob(pattern.format("*"))):
        if path.name not in {pattern.format(name) for name in rows}:
            report.error(path.relative_to(base), 1, f"has no row in {table}")


def check_paths(base, report, path):
    text = source.read(base, path)
    for match in PATH.finditer(text):
        name, near = match[1], match[2]
        if near is not None:
            exists = (base / path.parent / near).exists()
        else:
            exists = any(base.glob(name.rstrip("/"))) if "<" not in name else True
        if not exists:
            report.error(path, source.line_of(text, match.start()), f"{name or near} does not exist")


def main():
    base, report = source.root(), source.Report()
    for row in TABLES:
        check_table(base, report, *row)
    for path in source.files(base):
        if path.suffix == ".md":
            check_paths(base, report, path)
    report.finish()


main()
