# SPDX-License-Identifier: BSD-3-Clause
# faltung_checks: what every compilation and link of this project gets, and no user of the library.
#
# GCC's maybe-uninitialized is off: it cannot see that a status other than FAL_OK comes back from a
# function of another file, so it answers by the optimiser's mood. Clang and the sanitizers look.
add_library(faltung_checks INTERFACE)
target_compile_options(faltung_checks INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wvla
    $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    $<$<BOOL:${FALTUNG_WERROR}>:-Werror>)

if(FALTUNG_SANITIZE)
    set(sanitize -fsanitize=${FALTUNG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(faltung_checks INTERFACE ${sanitize})
    target_link_options(faltung_checks INTERFACE ${sanitize})
endif()
if(FALTUNG_COVERAGE)
    target_compile_options(faltung_checks INTERFACE --coverage)
    target_link_options(faltung_checks INTERFACE --coverage)
endif()
