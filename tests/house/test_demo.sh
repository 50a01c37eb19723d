#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The demonstration runs to its end, every layer agrees with the reference to float32's last digits, and
# every picture is there.
set -eu
cd "$(dirname "$0")/../.."
build=${FALTUNG_BUILD_DIR:-$PWD/build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sh examples/demo.sh "$build/faltung" "$folder" >"$folder/table" || {
    cat "$folder/table"
    exit 1
}
# The last column of a row; a sum of 13*13 numbers below 1 may err by some units of 2^-24.
awk '/->/ && NR > 1 { rows++; if (!($NF >= 0 && $NF < 1e-5)) bad = bad "\n" $0 }
     END { if (rows != 5 || bad) { print rows " rows" bad; exit 1 } }' "$folder/table"
for picture in blurred edges-across edges-down half double features; do
    [ -s "$folder/$picture.png" ] || { echo "$picture.png is missing"; exit 1; }
done
