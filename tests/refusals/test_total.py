#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Adds up the tables of rows.inc: runs the test of each, compares what it counted with the list, and
prints covered / applicable. The numbering of a table has no holes, and whatever does not apply says why."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(os.environ.get("FALTUNG_BUILD_DIR", os.path.join(HERE, "../../build")), "tests")
# Table: letter and number of its rows.
TABLES = {"api": ("A", 84), "activation": ("V", 6), "command": ("C", 76), "npy": ("N", 50), "npz": ("Z", 44),
          "safetensors": ("S", 56),
          "png": ("P", 58)}
LINE = re.compile(r'^(ROW|ABSENT)\((\w+), (\w+), "[^"]+"(?:, ("[^"]+"))?\)$', re.M)


def covered_by(table):
    """The count that the table's own test gives; 0 when it does not end well."""
    script = os.path.join(HERE, f"test_{table}.py")
    program = [sys.executable, "-B", script] if os.path.exists(script) else [
        os.path.join(PROGRAMS, f"test_refusals_{table}")]
    done = subprocess.run(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True,
                          errors="replace")
    counted = re.search(rf"^refusals: {table} (\d+) covered", done.stdout, re.M)
    if done.returncode != 0 or counted is None:
        print(done.stdout[-4000:])
        return 0
    return int(counted[1])


def main():
    with open(os.path.join(HERE, "rows.inc"), encoding="utf-8") as file:
        rows = LINE.findall(file.read())
    wrong = [row for row in rows if (row[0] == "ABSENT") != bool(row[3])]
    covered = applicable = 0
    for table, (letter, count) in TABLES.items():
        listed = [row for row in rows if row[1] == table]
        if [row[2] for row in listed] != [f"{letter}{i + 1:02}" for i in range(count)]:
            wrong.append(f"{table} is not {letter}01 to {letter}{count}")
        apply = sum(row[0] == "ROW" for row in listed)
        ran = covered_by(table)
        print(f"refusals: {table}: {ran} covered / {apply} applicable, {count - apply} cannot occur")
        covered += ran
        applicable += apply
    print(f"refusals: {covered} covered / {applicable} applicable")
    for what in wrong:
        print(f"rows.inc: {what}")
    sys.exit(covered != applicable or bool(wrong))


main()
