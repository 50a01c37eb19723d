#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What `make install` leaves serves a stranger: the header's first example is compiled with
# pkg-config, shared and static, and with find_package, and prints the right numbers; the tree works
# from another place than it was configured for; man pages and completions are where they belong.
set -eu
cd "$(dirname "$0")/../.."
source_dir=$PWD build=${FALTUNG_BUILD_DIR:-$PWD/build}
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
fail() {
    echo "$*"
    exit 1
}
# A sanitizer's runtime would have to be linked by the stranger too.
! grep -q '^FALTUNG_SANITIZE:STRING=.' "$build/CMakeCache.txt" || exit 77
! grep -q '^FALTUNG_COVERAGE:BOOL=ON' "$build/CMakeCache.txt" || exit 77

DESTDIR=$temporary/dest cmake --install "$build" --prefix /opt/faltung >/dev/null
mv "$temporary/dest/opt/faltung" "$temporary/moved"
prefix=$temporary/moved
expected='1 0 2 0
0 -1 0 -2
3 0 4 0
0 -3 0 -4'
runs() {
    output=$("$@") || fail "$1 fails"
    [ "$output" = "$expected" ] || fail "$1 prints $output"
}

pc=$(find "$prefix" -name faltung.pc)
export PKG_CONFIG_PATH="${pc%/*}"
library=${pc%/pkgconfig/*}
export LD_LIBRARY_PATH="$library"
mkdir "$temporary/user"
cp examples/first.c "$temporary/user"
cd "$temporary/user"
cc=${CC:-cc}
# shellcheck disable=SC2046 # pkg-config prints words
"$cc" -std=c11 first.c -o shared $(pkg-config --cflags --libs faltung)
runs ./shared
# shellcheck disable=SC2046
"$cc" -std=c11 first.c -o static $(pkg-config --cflags faltung) "$library/libfaltung.a" \
    $(pkg-config --static --libs-only-l --libs-only-other faltung | sed 's/-lfaltung//')
runs ./static
version=$(sed -n 's/.*FAL_VERSION_STRING "\(.*\)"/\1/p' "$source_dir/include/faltung.h")
[ "$(pkg-config --modversion faltung)" = "$version" ] ||
    fail 'the version of faltung.pc is not that of the header'

cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(stranger LANGUAGES C)
find_package(faltung 0.1 REQUIRED)
add_executable(with_shared first.c)
target_link_libraries(with_shared PRIVATE faltung::faltung)
add_executable(with_static first.c)
target_link_libraries(with_static PRIVATE faltung::static)
END
cmake -S . -B build -D CMAKE_PREFIX_PATH="$prefix" -D CMAKE_C_COMPILER="$cc" >/dev/null
cmake --build build >/dev/null
runs build/with_shared
runs build/with_static

[ -L "$library/libfaltung.so.0" ] || fail 'libfaltung.so.0 is missing'
if [ -x "$prefix/bin/faltung" ]; then
    "$prefix/bin/faltung" --version >/dev/null || fail 'the installed command does not run'
    for file in share/man/man1/faltung.1 share/man/man1/faltung-conv.1 \
        share/bash-completion/completions/faltung share/zsh/site-functions/_faltung \
        share/fish/vendor_completions.d/faltung.fish; do
        [ -s "$prefix/$file" ] || fail "$file is missing or empty"
    done
fi
if grep -rlI "$temporary\|$source_dir\|/opt/faltung" "$prefix"; then
    fail 'an installed file holds a path of the machine that built it'
fi
