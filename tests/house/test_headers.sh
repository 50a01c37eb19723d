#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every header compiles alone, so that no file depends on what was included before it: the public one
# as C11 and as C++11 with every warning, the internal ones as C11.
set -eu
cd "$(dirname "$0")/../.."
cc=${CC:-cc}
warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror'

# shellcheck disable=SC2086 # the warnings are words
for standard in c11 c17; do
    echo '#include <faltung.h>' |
        "$cc" -std=$standard $warnings -Wstrict-prototypes -Iinclude -x c -fsyntax-only -
done
if echo | c++ -x c++ -fsyntax-only - 2>/dev/null; then
    # shellcheck disable=SC2086
    for standard in c++11 c++17; do
        echo '#include <faltung.h>' |
            c++ -std=$standard $warnings -Wold-style-cast -Iinclude -x c++ -fsyntax-only -
    done
else
    echo 'no C++ compiler: the header was compiled as C only'
fi

# Templates (*.tmpl.h) are bodies that want their parameters first. One header of draw/ includes cairo's.
cairo=$(pkg-config --cflags cairo 2>/dev/null || true)
for header in $(find src io draw cli tests -name '*.h' ! -name '*.tmpl.h' 2>/dev/null | sort); do
    # shellcheck disable=SC2086
    printf '#include "%s"\n' "$header" |
        "$cc" -std=c11 $warnings -Wno-unused-function -DFAL__LEVEL=generic -D_POSIX_C_SOURCE=200809L \
            -Iinclude -Isrc -I. -Itests $cairo -x c -fsyntax-only - || {
        echo "$header does not compile alone"
        exit 1
    }
done
