#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# arm64_cmocka.sh DIR: unpacks Debian's cmocka for 64-bit ARM into DIR, unless it is there.
#
# apt-get is asked as if the machine were an ARM, with package lists of its own below DIR: nothing is
# installed, and the system does not become a mixed one.
set -eu

dir=$1
[ ! -e "$dir/usr/include/cmocka.h" ] || exit 0
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
dir=$(cd "$dir" && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# ask COMMAND...: apt-get as an ARM would run it
ask() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User= \
        -o Dir::State::lists="$dir/apt/lists" -o Dir::State::status=/dev/null \
        -o Dir::Cache="$dir/apt/cache" "$@" >>"$log" 2>&1
}
cd "$dir/apt"
if ! ask update || ! ask download libcmocka-dev libcmocka0; then
    cat "$log" >&2
    echo 'arm64_cmocka.sh: Debian has to be reached for libcmocka-dev of arm64' >&2
    exit 1
fi
for package in *.deb; do dpkg -x "$package" "$dir"; done
rm -r "$dir/apt"
