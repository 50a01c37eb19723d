#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The scripts give shellcheck nothing to say (skipped where it is not installed).
set -eu
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null || exit 77
find . -name build -prune -o -name '*.sh' -print | sort | xargs shellcheck .ci/run
