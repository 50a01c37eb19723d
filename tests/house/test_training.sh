#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/training.c compiles without a warning and learns: its loss falls to a third.
set -eu
cd "$(dirname "$0")/../.."
build=${FALTUNG_BUILD_DIR:-$PWD/build}
# A sanitizer's runtime would have to be linked too.
! grep -q '^FALTUNG_SANITIZE:STRING=.' "$build/CMakeCache.txt" || exit 77
! grep -q '^FALTUNG_COVERAGE:BOOL=ON' "$build/CMakeCache.txt" || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -Iinclude examples/training.c "$build/libfaltung.a" \
    -lm -fopenmp -o "$folder/training"
"$folder/training" 60 >"$folder/out"
awk '/^step/ { if (!n++) first = $4; last = $4 }
     END { if (!(n > 5 && last > 0 && last < first / 3)) exit 1 }' "$folder/out" || {
    echo 'the loss does not fall:'
    cat "$folder/out"
    exit 1
}
