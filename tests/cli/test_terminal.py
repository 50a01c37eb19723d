#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""On a terminal: progress appears after a second and is wiped, and binary data is refused."""
import os
import pty
import select
import signal
import subprocess
import sys
import time

COMMAND = os.environ.get("FALTUNG_COMMAND", os.path.join(os.path.dirname(__file__), "../../build/faltung"))


def run(arguments, seconds=0.0, interrupt=False):
    """Runs the command with its output on a terminal and its input on a pipe that stays silent for so
    many seconds. Returns what the terminal showed, and the exit code."""
    terminal, theirs = pty.openpty()
    environment = dict(os.environ, TERM="xterm")
    child = subprocess.Popen([COMMAND, *arguments], stdin=subprocess.PIPE, stdout=theirs, stderr=theirs,
                             env=environment)
    os.close(theirs)
    shown, end = b"", time.monotonic() + seconds
    while True:
        left = end - time.monotonic()
        if left <= 0 and not child.stdin.closed:
            if interrupt:
                child.send_signal(signal.SIGINT)
            else:
                child.stdin.close()
        ready, _, _ = select.select([terminal], [], [], max(left, 0.05))
        if ready:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the other side has closed
                break
    code = child.wait()
    os.close(terminal)
    return shown, code


def check(what, holds, shown):
    if not holds:
        sys.exit(f"{what}: {shown!r}")


shown, code = run(["print", "-"], seconds=1.6)
check("progress after a second", b"\rfaltung print: 1." in shown, shown)
check("wiped before the error", b"s\x1b[K\r\x1b[Kfaltung print: error" in shown, shown)
check("exit code 3", code == 3, code)

shown, code = run(["print", "-"], seconds=0.3)
check("no progress before a second", b"\x1b" not in shown, shown)

shown, code = run(["print", "-", "--quiet"], seconds=1.4)
check("no progress with --quiet", b"\x1b" not in shown, shown)

shown, code = run(["print", "-"], seconds=1.4, interrupt=True)
check("Ctrl-C exits with 130", code == 130, code)
check("and wipes the line", shown.endswith(b"\r\x1b[K"), shown)

shown, code = run(["generate", "ramp", "--shape", "3", "-o", "-"])
check("no .npy on a terminal", code == 2 and b"refusing" in shown, shown)
