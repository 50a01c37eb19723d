# SPDX-License-Identifier: BSD-3-Clause
"""A check that cannot fail proves nothing: each is shown a small tree with one thing wrong, and must
name it; shown the same tree without it, it must be silent."""
import pathlib
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
SPDX = "/* SPDX-License-Identifier: BSD-3-Clause */\n"
GOOD = {
    "include/faltung.h": SPDX,
    "src/base/error.h": SPDX,
    "src/tensor/view.c": SPDX + '#include "base/error.h"\n#include "faltung.h"\n',
    "src/solvers/good.c": SPDX + "const fal__solver fal__solver_good = {0};\n",
    "src/solvers/solvers.inc": SPDX + "FAL__SOLVER(good)\n",
    "cli/verb_conv.c": SPDX + "fal_status cli_run_conv(void)\n{\n    return 0;\n}\n",
    "cli/verbs.inc": SPDX + 'VERB(conv, .name = "conv")\n',
    "docs/internals.md": "The tour begins in `src/tensor/view.c`.\n",
}
LONG = "".join(f"    x += {i};\n" for i in range(130))
DEEP = "".join(" " * 4 * (i + 1) + "if (x)\n" for i in range(7)) + " " * 32 + "x = 0;\n"
# (check, file, what the file holds instead, a word of the message)
BAD = [
    ("layers", "src/base/error.h", SPDX + '#include "tensor/view.h"\n', "does not exist"),
    ("layers", "src/base/error.h", SPDX + '#include "../tensor/view.c"\n', "base must not use tensor"),
    ("layers", "cli/verb_conv.c", SPDX + '#include "base/error.h"\n', "cli must not use base"),
    ("layers", "include/faltung.h", SPDX + '#include "base/error.h"\n', "include must not use base"),
    ("layers", "src/attic/old.c", SPDX, "not in the layer law"),
    ("sizes", "src/base/a.c", SPDX + "int f(int x)\n{\n" + LONG + "    return x;\n}\n", "lines of f()"),
    ("sizes", "src/base/a.c", SPDX + "int f(int x)\n{\n" + DEEP + "    return x;\n}\n", "nesting in f()"),
    ("sizes", "src/base/a.c", SPDX + "int f(int a, int b, int c, int d, int e, int g, int h, int i, int j)\n"
     "{\n    return a;\n}\n", "parameters of f()"),
    ("sizes", "src/base/a.c", SPDX + "\n" * 801, "lines of the file"),
    ("sizes", "src/base/a.c", SPDX + "/* " + "-" * 120 + " */\n", "characters in the line"),
    ("sizes", "src/base/a.c", SPDX + "#define F(x) \\\n" + "    x; \\\n" * 20 + "    x\n",
     "lines of the macro F"),
    ("words", "src/base/a.c", SPDX + 'void f(void)\n{\n    printf("x");\n}\n', "never prints"),
    ("words", "src/base/a.c", SPDX + "void f(void)\n{\n    abort();\n}\n", "never ends"),
    ("words", "src/base/a.c", SPDX + "void *f(void)\n{\n    return malloc(1);\n}\n", "base/alloc.h"),
    ("words", "src/tensor/a.c", SPDX + "__int128 x;\n", "base/compiler.h"),
    ("words", "io/a.c", SPDX + "void f(char *a)\n{\n    sprintf(a, a);\n}\n", "safer"),
    ("words", "cli/a.c", SPDX + "#if " + "0\n#endif\n", "no dead code"),
    ("words", "cli/a.c", SPDX + "/* TO" + "DO */\n", "finish it"),
    ("words", "docs/a.md", "See /ho" + "me/me/file.\n", "somebody's machine"),
    ("words", "src/base/a.c", "int x;\n", "SPDX"),
    ("rows", "src/solvers/lost.c", SPDX, "has no row"),
    ("rows", "src/solvers/solvers.inc", SPDX + "FAL__SOLVER(good)\nFAL__SOLVER(gone)\n",
     "is defined in none"),
    ("rows", "cli/verb_lost.c", SPDX + "fal_status cli_run_lost(void)\n{\n}\n", "lost has no row"),
    ("rows", "cli/verb_conv.c", SPDX, "conv is defined in none"),
    ("rows", "docs/internals.md", "The tour begins in `src/tensor/gone.c`.\n", "does not exist"),
]


def run(check, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        result = subprocess.run([sys.executable, "-B", TOOLS / f"check_{check}.py", folder],
                                capture_output=True, text=True, check=False)
        return result.returncode, result.stdout + result.stderr


def main():
    failures = []
    checks = sorted(path.stem.removeprefix("check_") for path in TOOLS.glob("check_*.py"))
    for check in checks:
        code, output = run(check, GOOD)
        if code != 0 or output:
            failures.append(f"{check} is not silent on a good tree: {output}")
        if check not in {row[0] for row in BAD}:
            failures.append(f"nothing shows that {check} can fail")
    for check, name, text, message in BAD:
        code, output = run(check, GOOD | {name: text})
        if code != 1 or message not in output:
            failures.append(f"{check} overlooks {message!r} in {name}: {output}")
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


main()
