#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# dependencies.sh SET...: makes sure that what the sets need is there. Sets: build test lint clang neon peers.
#
# Asks for each thing by use (a command, a pkg-config module), not by package, so that any system
# that has it passes without a word. What is missing is installed with apt-get when this runs as root
# or sudo asks for no password; otherwise the one line to run is printed and the exit status is 1.
set -eu

missing='' unknown=''
# lacks PACKAGE WHAT: notes both names of a missing thing: Debian's and everyone's.
lacks() {
    missing="$missing $1" unknown="$unknown $2"
}
# needs KIND NAME PACKAGE
needs() {
    case $1 in
    command) command -v "$2" >/dev/null 2>&1 || lacks "$3" "$2" ;;
    module) pkg-config --exists "$2" 2>/dev/null || lacks "$3" "$2" ;;
    esac
}
# Prints an empty object file's fate: can this compiler read that language and find its headers?
compiles() {
    printf '#include <%s>\n' "$3" | "$1" -x "$2" -fsyntax-only - >/dev/null 2>&1
}

for set in "$@"; do
    case $set in
    build)
        compiles "${CC:-cc}" c stdio.h || lacks 'gcc libc6-dev' 'a C compiler'
        needs command cmake cmake
        needs command pkg-config pkg-config
        needs module libpng libpng-dev
        needs module libjpeg libjpeg62-turbo-dev
        needs module libzip libzip-dev
        needs module jansson libjansson-dev
        needs module sndfile libsndfile1-dev
        needs module cairo libcairo2-dev
        compiles "${CC:-cc}" c gif_lib.h || lacks libgif-dev giflib
        ;;
    test)
        needs module cmocka libcmocka-dev
        needs command python3 python3
        needs command pdftoppm poppler-utils
        ;;
    lint)
        needs command python3 python3
        needs command clang-format-14 clang-format-14
        needs command shellcheck shellcheck
        compiles c++ c++ stddef.h || lacks g++ 'a C++ compiler'
        ;;
    neon) # builds for 64-bit ARM and runs what was built
        compiles aarch64-linux-gnu-gcc c stdio.h ||
            lacks 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross' 'a compiler for aarch64'
        needs command qemu-aarch64 qemu-user
        ;;
    clang) needs command clang clang ;;
    peers) # what `faltung bench --peers` races against
        needs module openblas libopenblas-dev
        compiles "${CC:-cc}" c oneapi/dnnl/dnnl.h || lacks libdnnl-dev oneDNN
        compiles "${CC:-cc}" c xnnpack.h || lacks 'libxnnpack-dev libpthreadpool-dev' XNNPACK
        ;;
    *)
        echo "dependencies.sh: no set called $set" >&2
        exit 2
        ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install, with your system's package manager:$unknown" >&2
    exit 1
fi
# Ubuntu and derivatives call the JPEG library's development package differently.
case $missing in
*libjpeg62-turbo-dev*)
    apt-cache show libjpeg62-turbo-dev >/dev/null 2>&1 ||
        ! apt-cache show libjpeg-dev >/dev/null 2>&1 ||
        missing=$(echo "$missing" | sed 's/libjpeg62-turbo-dev/libjpeg-dev/')
    ;;
esac
if [ "$(id -u)" -eq 0 ]; then
    as_root=''
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo'
else
    echo "Missing:$unknown. Run:" >&2
    echo "sudo apt-get install -y$missing" >&2
    exit 1
fi

echo "Installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A fresh system has no package lists, and old lists name packages that are gone.
$as_root apt-get -qq update >"$log" 2>&1 || true
# shellcheck disable=SC2086 # words are wanted
$as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends $missing >>"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
}
