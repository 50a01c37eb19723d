# SPDX-License-Identifier: BSD-3-Clause
"""docs/gallery.md shows what this command draws: every picture is made again and its SVG compared."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

sys.exit(subprocess.run([sys.executable, "-B", ROOT / "tools" / "gallery.py", "check",
                         os.environ["FALTUNG_COMMAND"]], check=False).returncode)
