#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The C files lie as clang-format 14 lays them (skipped where it is not installed).
exec sh "$(dirname "$0")/../../tools/format.sh" check
