# SPDX-License-Identifier: BSD-3-Clause
"""Words that must not appear, each with the place where it may.

The library never prints, ends the process, reads the environment or allocates behind the caller's
back; the tree holds no dead code, no notes to self and no path of somebody's machine.
"""
import re

import source


def calls(*names):
    return r"(?<![\w.>])(?:" + "|".join(names) + r")\s*\("


# Where (a prefix of the path), what, where it may appear after all, why not.
CODE = [
    ("src/", calls("v?f?printf", "f?puts", "putc(?:har)?", "perror"), (), "the library never prints"),
    ("src/", r"\bFILE\b", (), "the library opens no files"),
    ("src/", calls("abort", "_?exit", "_Exit", "quick_exit", "raise", "signal"), (),
     "the library never ends the process"),
    ("src/", calls("(?:secure_)?getenv", "setenv", "system"), (), "the library reads no environment"),
    ("src/", calls("malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign"),
     ("src/base/alloc.c",), "memory comes through base/alloc.h"),
    ("src/", calls("rand", "srand", "time", "clock"), (), "results depend on the arguments alone"),
    ("", calls("v?sprintf", "gets", "alloca", "tmpnam", "mktemp"), (), "a safer function exists"),
    ("src/", calls("strcpy", "strcat", "strtok", "ato[ilf]"), (), "a safer function exists"),
    ("io/", calls("strtok", "ato[ilf]"), (), "a safer function exists"),
    ("cli/", calls("strtok", "ato[ilf]"), (), "a safer function exists"),
    ("src/", r"\b(?:__builtin_\w+|__attribute__|__int128|__extension__|__asm\w*|__typeof\w*|asm)\b",
     ("src/base/", "src/cpu/"), "compiler extensions are named in base/compiler.h"),
    ("", r"^[ \t]*#[ \t]*if[ \t]+0\b", (), "no dead code"),
]
TEXT = [
    (r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", "finish it, or leave it out"),
    (r"(?<![\w.])/(?:ho" r"me|ro" r"ot|wo" r"rk|Us" r"ers)/", "a path of somebody's machine"),
]
SPDX = "SPDX-License-Identifier: BSD-3-Clause"


def main():
    base, report = source.root(), source.Report()
    for path in source.files(base):
        text = source.read(base, path)
        for pattern, why in TEXT:
            for match in re.finditer(pattern, text):
                report.error(path, source.line_of(text, match.start()), f"{match.group().strip()!r}: {why}")
        if path.suffix in (".c", ".h", ".inc", ".py", ".sh", ".cmake"):
            if SPDX not in "\n".join(text.splitlines()[:2]):
                report.error(path, 1, f"the first line must hold {SPDX}")
        if path.suffix not in (".c", ".h", ".inc"):
            continue
        plain = source.code(text)
        for place, pattern, homes, why in CODE:
            if not str(path).startswith(place) or str(path).startswith(homes):
                continue
            for match in re.finditer(pattern, plain, re.M):
                report.error(path, source.line_of(plain, match.start()), f"{match.group().strip()!r}: {why}")
    report.finish()


main()
