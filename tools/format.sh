#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# format.sh check|write: lays out every C file as .clang-format says, or says which are not.
#
# Version 14 exactly: two versions of clang-format do not agree on every line. 77: it is not here.
set -eu
cd "$(dirname "$0")/.."

for tool in clang-format-14 clang-format ''; do
    if [ -z "$tool" ]; then
        echo 'clang-format 14 is not installed' >&2
        exit 77
    fi
    ! "$tool" --version 2>/dev/null | grep -q 'version 14\.' || break
done
case ${1-} in
check) set -- --dry-run --Werror ;;
write) set -- -i ;;
*)
    echo 'format.sh check|write' >&2
    exit 2
    ;;
esac
if ! found=$(find . -name build -prune -o -name '*.[ch]' -print | sort | xargs "$tool" "$@" 2>&1); then
    echo "$found" | sed -n 's/^\([^: ]*:[0-9]*\):.*error: /\1: /p'
    echo 'make format mends it'
    exit 1
fi
