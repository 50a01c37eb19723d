# SPDX-License-Identifier: BSD-3-Clause
"""Rows and files match: every row of a table has the object it names in a file of its room, and every such
file belongs to a row; every path that the documentation names exists."""
import re

import source

# Table, what a row begins with, the files of its room, the definition of the row NAME. Twins may share a file
# (conv and conv-transpose); helpers have other names or folders.
TABLES = [
    ("src/solvers/solvers.inc", "FAL__SOLVER", "src/solvers/*.c", r"^const fal__solver fal__solver_{} ="),
    ("cli/verbs.inc", "VERB", "cli/verb_*.c", r"^fal_status cli_run_{}\("),
]
PATH = re.compile(r"`((?:include|src|io|draw|cli|tests|tools|docs|cmake|examples|bench|\.ci)/[^`\s]*)`|"
                  r"\]\((?!https?:|#)([^)\s#]+)[^)]*\)")


def check_table(base, report, table, word, files, definition):
    if not (base / table).is_file():
        report.error(table, 1, "does not exist")
        return
    text = source.code(source.read(base, table))
    rows = {m[1]: source.line_of(text, m.start()) for m in re.finditer(rf"^{word}\((\w+)", text, re.M)}
    defined = set()
    for path in sorted(base.glob(files)):
        relative = path.relative_to(base)
        here = set(re.findall(definition.format(r"(\w+)"), source.code(source.read(base, relative)), re.M))
        defined |= here
        for name in here - rows.keys() or ({relative.name} if not here else set()):
            report.error(relative, 1, f"{name} has no row in {table}")
    for name in rows.keys() - defined:
        report.error(table, rows[name], f"the row {name} is defined in none of {files}")


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
