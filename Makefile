# SPDX-License-Identifier: BSD-3-Clause
# A thin front to CMake: `make help` lists what it does. The build itself is CMakeLists.txt.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
CMAKE_ARGS ?=

# The options of this make are not for the make that CMake runs below it.
cmake = MAKEFLAGS=--no-print-directory cmake
configure = $(cmake) --preset $(1) $(CMAKE_ARGS) >/dev/null
build = $(configure) && $(cmake) --build --preset $(1) --parallel $(JOBS)
run_tests = ctest --preset $(1) --parallel $(JOBS) --no-tests=error --no-label-summary

.PHONY: all test demo install asan tsan neon coverage performance gallery format lint clean help
.NOTPARALLEL:

all: ## build/faltung, build/libfaltung.so and build/libfaltung.a
	@sh tools/dependencies.sh build
	@$(call build,release) --target product

test: ## build, then run every test
	@sh tools/dependencies.sh build test
	@$(call build,release)
	@$(call run_tests,release)

demo: all ## build, then run the command on a photograph and leave pictures in build/demo
	@sh examples/demo.sh build/faltung build/demo

install: all ## install to PREFIX (/usr/local), below DESTDIR if given
	@$(cmake) --install build --prefix "$(abspath $(PREFIX))"
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true # the loader remembers where libraries are

asan: ## the tests, built with the address and undefined-behaviour sanitizers
	@sh tools/dependencies.sh build test
	@$(call build,asan-ubsan)
	@$(call run_tests,asan-ubsan)

neon: ## the library for 64-bit ARM and its tests, under qemu
	@sh tools/dependencies.sh test neon
	@sh tools/arm64_cmocka.sh build/neon/packages
	@$(call build,neon)
	@$(call run_tests,neon)

tsan: ## what runs on several threads, built with the thread sanitizer
	@sh tools/dependencies.sh test
	@$(call build,tsan)
	@$(call run_tests,tsan)

coverage: ## the tests, then how much of each room they run
	@sh tools/dependencies.sh build test
	@$(call build,coverage)
	@$(call run_tests,coverage)
	@python3 -B tools/coverage.py build/coverage

performance: ## docs/performance.md, from a run against OpenBLAS, oneDNN and XNNPACK where they are installed
	@sh tools/dependencies.sh build peers
	@$(cmake) -S . -B build/peers -D FALTUNG_PEERS=ON -D FALTUNG_TESTS=OFF $(CMAKE_ARGS) >/dev/null
	@$(cmake) --build build/peers --parallel $(JOBS) --target faltung_command
	@python3 -B tools/performance.py build/peers/faltung

gallery: ## docs/gallery.md and its pictures, made again
	@sh tools/dependencies.sh build
	@$(call build,release) --target faltung_command
	@python3 -B tools/gallery.py write build/faltung

format: ## lay out every C file with clang-format
	@sh tools/dependencies.sh lint
	@sh tools/format.sh write

lint: ## the checks that only read the source
	@sh tools/dependencies.sh lint
	@sh tools/lint.sh

clean: ## remove build/
	@rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16
