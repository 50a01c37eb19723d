#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/first.c is the program that the header shows first, word for word.
set -eu
cd "$(dirname "$0")/../.."
shown=$(sed -n '/^ \*     #include/,/^ \*     }/s/^ \*\( \{5\}\|$\)//p' include/faltung.h)
[ -n "$shown" ] || { echo 'no example found in include/faltung.h'; exit 1; }
kept=$(sed '/SPDX/d' examples/first.c)
[ "$shown" = "$kept" ] || {
    echo 'examples/first.c differs from the first example in include/faltung.h'
    exit 1
}
