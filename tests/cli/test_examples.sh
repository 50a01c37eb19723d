#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every example of the help texts and manual pages runs, in order, and succeeds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command=${FALTUNG_COMMAND:-$here/../../build/faltung}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/folder"
ln -s "$command" "$scratch/bin/faltung"
PATH=$scratch/bin:$PATH
export PATH
cd "$scratch/folder"
# shellcheck source=tests/cli/fixtures.sh disable=SC1091 # its place is only known here
. "$here/fixtures.sh"

faltung help --examples >"$scratch/examples"
count=0 failed=0
while IFS= read -r line; do
    count=$((count + 1)) code=0
    sh -c "$line" >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
    if [ $code -ne 0 ]; then
        echo "exit $code: $line"
        cat "$scratch/err"
        failed=$((failed + 1))
    fi
done <"$scratch/examples"
echo "$count examples, $failed failed"
[ $count -gt 20 ] && [ $failed -eq 0 ]
