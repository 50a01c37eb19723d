#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# lint.sh: every check that only reads the source. Runs them all and fails when one failed.
cd "$(dirname "$0")/.." || exit 1
status=0

# check WHAT COMMAND...: a check that cannot run here (77) counts as failed: `make lint` has installed
# what it needs.
check() {
    what=$1
    shift
    if output=$("$@" 2>&1); then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        status=1
    fi
    [ -z "$output" ] || echo "$output" | sed 's/^/        /'
}

for script in tools/check_*.py; do
    what=${script#tools/check_}
    check "${what%.py}" python3 -B "$script"
done
check 'each header alone, C11 and C++11' sh tests/house/test_headers.sh
check 'the first example is the one in the header' sh tests/house/test_first_example.sh
check 'layout of the code' sh tools/format.sh check
check 'shell scripts' sh tests/house/test_shell.sh
exit $status
