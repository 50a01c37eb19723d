#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What the linker sees: the shared library exports the functions of the header and nothing else; its
# external names begin with fal; it keeps no mutable globals; and it calls nothing that prints, ends
# the process or reads the environment.
set -eu
cd "$(dirname "$0")/../.."
build=${FALTUNG_BUILD_DIR:-$PWD/build}
! grep -q '^FALTUNG_SANITIZE:STRING=.' "$build/CMakeCache.txt" || exit 77
! grep -q '^FALTUNG_COVERAGE:BOOL=ON' "$build/CMakeCache.txt" || exit 77
status=0
# none WHAT LINES: fails when there are lines.
none() {
    [ -z "$2" ] || {
        printf '%s:\n%s\n' "$1" "$2"
        status=1
    }
}

exported=$(nm -D --defined-only "$build/libfaltung.so" |
    awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
declared=$(sed -n '/^FAL_API/,/;/p' include/faltung.h | tr '\n' ' ' |
    grep -o 'fal_[a-z0-9_]*(' | tr -d '(' | sort -u)
[ -n "$exported" ] && [ -n "$declared" ]
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
echo "$exported" >"$temporary/exported"
echo "$declared" >"$temporary/declared"
none 'exported but not in the header' "$(comm -23 "$temporary/exported" "$temporary/declared")"
none 'in the header but not exported' "$(comm -13 "$temporary/exported" "$temporary/declared")"

none 'external names without fal_ or fal__' \
    "$(nm -g --defined-only "$build/libfaltung.a" | awk 'NF == 3 && $3 !~ /^fal_/ { print $3 }')"
none 'mutable globals' "$(nm --format=sysv --defined-only "$build/libfaltung.a" |
    awk -F '|' '$7 ~ /^ *(\.t?data|\.t?bss|\*COM\*)/ && $7 !~ /\.rel\.ro/ { print $1, $7 }')"
forbidden='_*(v?f?printf|f?puts|putchar|fwrite|perror|fopen)(_chk)?|abort|_?exit|(secure_)?getenv|system'
none 'calls that a library must not make' \
    "$(nm -u "$build/libfaltung.a" | awk '{ print $2 }' | sort -u | grep -Ex "$forbidden" || true)"
exit $status
