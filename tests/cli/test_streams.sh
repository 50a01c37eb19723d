#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Pipes, full disks, closed readers, interruption: what cannot be written as a case.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command=${FALTUNG_COMMAND:-$here/../../build/faltung}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failed=0
complain() {
    echo "$*"
    failed=1
}

# A tensor travels through a pipe.
"$command" generate ramp --shape 2,3 -o - | "$command" print - >text
[ "$(cat text)" = '[[0, 1, 2],
 [3, 4, 5]]' ] || complain "through a pipe: $(cat text)"

# A full disk is exit code 3, not silence.
if [ -c /dev/full ]; then
    code=0
    "$command" print '[1,2]' >/dev/full 2>err || code=$?
    [ "$code $(grep -c 'cannot write' err)" = '3 1' ] || complain "full disk: exit $code, $(cat err)"
fi

# A reader that leaves early ends the command quietly.
"$command" generate ramp --shape 1000000 --json 2>err | head -c 10 >/dev/null
[ ! -s err ] || complain "closed pipe: $(cat err)"

# SIGINT ends it with 130 and leaves no file behind. The pipe keeps it waiting for input.
mkfifo pipe
"$command" convert pipe -o result.npy 2>err &
child=$!
exec 3>pipe
sleep 0.3
kill -s TERM $child
code=0
wait $child || code=$?
exec 3>&-
rm pipe
[ $code -eq 143 ] || complain "SIGTERM: exit $code"
[ "$(ls)" = 'err
text' ] || complain "files are left: $(ls)"
exit $failed
