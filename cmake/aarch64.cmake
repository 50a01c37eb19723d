# SPDX-License-Identifier: BSD-3-Clause
# Toolchain: 64-bit ARM from another machine, with Debian's cross compiler; programs run under qemu-user.
# `make neon` uses it, after tools/arm64_cmocka.sh has put ARM's cmocka into build/neon/packages.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

cmake_path(SET faltung_packages NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../build/neon/packages)
set(CMAKE_FIND_ROOT_PATH ${faltung_packages} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${faltung_packages}/usr/lib/aarch64-linux-gnu/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${faltung_packages})
