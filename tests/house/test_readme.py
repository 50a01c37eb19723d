# SPDX-License-Identifier: BSD-3-Clause
"""What the documentation shows, happens: every line after `$ ` in a console block of README.md is run,
in order, and prints the lines below it. A line `...` stands for any lines; `# ...` after a command is a
remark. Run in a folder where build/, include/ and examples/ are those of this build, with its compiler
as `cc`: -fopenmp means another library to each compiler."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FALTUNG_BUILD_DIR", ROOT / "build"))


def commands(text):
    """(line, command, expected output lines) of every console block."""
    for block in re.finditer(r"^```console\n(.*?)^```", text, re.M | re.S):
        line = text.count("\n", 0, block.start()) + 1
        pending = None
        for number, row in enumerate(block[1].splitlines(), line + 1):
            if row.startswith("$ "):
                if pending:
                    yield pending
                pending = (number, row[2:], [])
            elif pending:
                pending[2].append(row)
        if pending:
            yield pending


def matches(expected, printed):
    any_lines = r"(?:.*\n)*?.*"
    pattern = "\n".join(any_lines if row.strip() == "..." else re.escape(row.rstrip()) for row in expected)
    return re.fullmatch(pattern, "\n".join(row.rstrip() for row in printed.splitlines())) is not None


def main():
    cache = (BUILD / "CMakeCache.txt").read_text()
    if re.search(r"^FALTUNG_(SANITIZE:STRING=.|COVERAGE:BOOL=ON)", cache, re.M):
        sys.exit(77)  # a program linked by hand lacks the runtime of these
    compiler = re.search(r"^CMAKE_C_COMPILER:\w+=(.+)$", cache, re.M)[1]
    failures = shown = 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as tools:
        os.symlink(shutil.which(compiler), pathlib.Path(tools) / "cc")
        path = {**os.environ, "PATH": tools + os.pathsep + os.environ["PATH"]}
        for name in ("include", "examples"):
            os.symlink(ROOT / name, pathlib.Path(folder) / name)
        os.symlink(BUILD, pathlib.Path(folder) / "build")
        for line, command, expected in commands((ROOT / "README.md").read_text()):
            if command.startswith("make"):
                continue  # this test is part of one of them
            shown += 1
            result = subprocess.run(command, shell=True, cwd=folder, env=path, check=False, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if not matches(expected, result.stdout):
                failures += 1
                print(f"README.md:{line}: {command}\nexit {result.returncode}, prints\n{result.stdout}")
    if not shown:
        print("README.md shows nothing that could be run")
    sys.exit(1 if failures or not shown else 0)


main()
