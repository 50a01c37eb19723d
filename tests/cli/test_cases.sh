#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The command's behaviour, case by case. A case is a folder tests/cli/cases/NAME:
#
#     cmd       a shell script, run in an empty folder with `faltung` in the PATH
#     stdout    what it must print; missing: nothing. A line that begins with `~ ` is a shell pattern
#     stderr    the same for standard error
#     exit      its exit code; missing: 0
#     left      the files it must leave, one name a line; missing: not looked at
#
# test_cases.sh [--refresh] [NAME...] runs all cases or those named; --refresh writes what came out
# into the case, to be read before it is committed.
set -eu
cd "$(dirname "$0")/../.."
command=${FALTUNG_COMMAND:-$PWD/build/faltung}
cases=$PWD/tests/cli/cases
[ -x "$command" ] || { echo "$command is not built"; exit 1; }
refresh=no
if [ "${1-}" = --refresh ]; then
    refresh=yes
    shift
fi
[ $# -gt 0 ] || { cd "$cases" && set -- *; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
ln -s "$command" "$scratch/bin/faltung"
PATH=$scratch/bin:$PATH LC_ALL=C
export PATH LC_ALL
unset FALTUNG_THREADS FALTUNG_CPU
failed=0 run=0

# same EXPECTED FOUND: equal line by line, with patterns.
same() {
    if ! grep -q '^~ ' "$1"; then
        cmp -s "$1" "$2"
        return
    fi
    [ "$(wc -l <"$1")" -eq "$(wc -l <"$2")" ] || return 1
    exec 3<"$1" 4<"$2"
    while IFS= read -r wanted <&3 && IFS= read -r found <&4; do
        case $wanted in
        '~ '*)
            # shellcheck disable=SC2254 # a pattern is meant
            case $found in ${wanted#??}) ;; *) return 1 ;; esac ;;
        *) [ "$found" = "$wanted" ] || return 1 ;;
        esac
    done
}

# compare CASE STREAM
compare() {
    expected=$cases/$1/$2
    [ -f "$expected" ] || expected=/dev/null
    same "$expected" "$scratch/$2" && return
    echo "--- $1: $2 differs (expected -, found +)"
    diff -u "$expected" "$scratch/$2" | tail -n +3
    bad=yes
}

# keep CASE STREAM DEFAULT: the refreshed expectation; none when it is the default
keep() {
    if [ "$(cat "$scratch/$2")" = "$3" ]; then
        rm -f "$cases/$1/$2"
    elif ! [ -f "$cases/$1/$2" ] || ! same "$cases/$1/$2" "$scratch/$2"; then
        cp "$scratch/$2" "$cases/$1/$2"
    fi
}

for name; do
    folder=$scratch/folder
    rm -rf "$folder"
    mkdir "$folder"
    code=0
    (cd "$folder" && sh "$cases/$name/cmd") >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || code=$?
    echo $code >"$scratch/exit"
    (cd "$folder" && find . -mindepth 1 | sed 's,^\./,,' | sort) >"$scratch/left"
    run=$((run + 1)) bad=no
    if [ $refresh = yes ]; then
        keep "$name" stdout ''
        keep "$name" stderr ''
        keep "$name" exit 0
        continue
    fi
    compare "$name" stdout
    compare "$name" stderr
    [ "$code" = "$(cat "$cases/$name/exit" 2>/dev/null || echo 0)" ] || {
        echo "--- $name: exit code $code, not $(cat "$cases/$name/exit" 2>/dev/null || echo 0)"
        bad=yes
    }
    if [ -f "$cases/$name/left" ]; then compare "$name" left; fi
    if [ $bad = yes ]; then
        echo "    sh tests/cli/test_cases.sh $name"
        failed=$((failed + 1))
    fi
done
echo "$run cases, $failed failed"
[ $failed -eq 0 ]
