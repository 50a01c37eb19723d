# SPDX-License-Identifier: BSD-3-Clause
"""Sizes: above the soft limit a warning, above the hard limit a failure.

Functions are found by the layout that clang-format gives: the body's braces stand in the first column.
Tables (.inc) are exempt. The plain loop nests of the reference and of the tests may nest as deep as their
formulas. A public function may take ten parameters, because its list is part of the interface.
"""
import re

import source

#                            soft  hard
FUNCTION = {"kernels":       (150, 300), "": (60, 120)}
FILE = {"include":           (800, 1200), "kernels": (250, 600), "": (400, 800)}
PARAMETERS = {"kernels":     (12, 12), "": (6, 8)}
PUBLIC_PARAMETERS = (8, 10)
NESTING = (4, 6)
LINE = (110, 120)
MACRO = (8, 20)

BODY = re.compile(r"^\{\n.*?^\}", re.M | re.S)
SIGNATURE = re.compile(r"(\w+)\s*\(([^{};]*)\)\s*$", re.S)
MACROS = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(?:.*\\\n)*.*", re.M)


def limits(table, path):
    kind = "include" if path.parts[0] == "include" else "kernels" if "kernels" in path.parts[:2] else ""
    return table.get(kind, table[""])


def judge(report, path, line, value, limit, what):
    soft, hard = limit
    if value > hard:
        report.error(path, line, f"{what}: {value}, the limit is {hard}")
    elif value > soft:
        report.warn(path, line, f"{what}: {value}, more than {soft}")


def count_parameters(text):
    """Parameters at the outer level: commas inside parentheses belong to a function pointer."""
    depth = count = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        count += character == "," and depth == 0
    return 0 if text.strip() in ("", "void") else count + 1


def depth_of(body):
    """Deepest control block: with one indentation step a level, leading blanks tell, braces or not."""
    controls = re.compile(r"^( +)(?:if|for|while|switch|do)\b", re.M)
    return max((len(m[1]) // 4 for m in controls.finditer(body)), default=0)


def check_functions(path, text, report):
    for body in BODY.finditer(text):
        before = text[: body.start()].rstrip()
        start = max(before.rfind(";"), before.rfind("}"), before.rfind("#")) + 1
        signature = SIGNATURE.search(before, start)
        if not signature:
            continue
        name, line = signature[1], source.line_of(text, signature.start())
        lines = source.line_of(text, body.end()) - line + 1
        judge(report, path, line, lines, limits(FUNCTION, path), f"lines of {name}()")
        public = name.startswith("fal_") and not name.startswith("fal__")
        judge(report, path, line, count_parameters(signature[2]),
              PUBLIC_PARAMETERS if public else limits(PARAMETERS, path), f"parameters of {name}()")
        if path.parts[0] != "tests" and path.parts[:2] != ("src", "reference"):
            judge(report, path, line, depth_of(body.group()), NESTING, f"nesting in {name}()")


def main():
    base, report = source.root(), source.Report()
    for path in source.files(base, ".c", ".h", ".py", ".sh"):
        text = source.read(base, path)
        judge(report, path, 1, text.count("\n"), limits(FILE, path), "lines of the file")
        for number, line in enumerate(text.splitlines(), 1):
            judge(report, path, number, len(line), LINE, "characters in the line")
        if path.suffix in (".c", ".h"):
            plain = source.code(text)
            check_functions(path, plain, report)
            for macro in MACROS.finditer(plain):
                lines, line = macro.group().count("\n") + 1, source.line_of(plain, macro.start())
                judge(report, path, line, lines, MACRO, f"lines of the macro {macro[1]}")
    report.finish()


main()
