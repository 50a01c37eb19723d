# SPDX-License-Identifier: BSD-3-Clause
# Kernels: every file of src/kernels/generic is compiled once for each CPU level of the table below,
# with FAL__LEVEL as the suffix of its functions. The library chooses at run time, so only these
# objects may contain instructions beyond the compiler's baseline.
#
# Sets faltung_kernel_targets (object libraries), faltung_level_definitions (FAL__HAVE_<LEVEL>, which
# tells the rest of the library that the level was built), faltung_levels and faltung_flags_<level>.
include(CheckCCompilerFlag)

set(faltung_kernel_targets "")
set(faltung_level_definitions "")
set(faltung_levels "")
file(GLOB kernel_sources CONFIGURE_DEPENDS src/kernels/generic/*.c)

# The sanitizers add a branch to every access of the unrolled loops; at -O3 one such file takes minutes.
# There GCC fuses products and sums, as the kernels want, only when asked for its expensive passes.
set(kernel_optimisation -O3)
if(FALTUNG_SANITIZE)
    set(kernel_optimisation -O1 -g1)
    if(CMAKE_C_COMPILER_ID STREQUAL GNU)
        list(APPEND kernel_optimisation -fexpensive-optimizations)
    endif()
endif()

# fal_kernel_level(NAME FLAG...): one row. A level whose flags the compiler does not know is left out.
function(fal_kernel_level level)
    if(NOT kernel_sources)
        return()
    endif()
    if(ARGN)
        string(REPLACE ";" " " CMAKE_REQUIRED_FLAGS "${ARGN}")
        check_c_compiler_flag("${CMAKE_REQUIRED_FLAGS}" FALTUNG_HAVE_${level})
        if(NOT FALTUNG_HAVE_${level})
            return()
        endif()
    endif()
    add_library(faltung_kernels_${level} OBJECT ${kernel_sources})
    target_include_directories(faltung_kernels_${level} PRIVATE include src)
    target_compile_definitions(faltung_kernels_${level} PRIVATE FAL__LEVEL=${level})
    # A product and its sum may become one instruction here: the kernels are written for it, and
    # their rounding is part of what the tests bound.
    target_compile_options(faltung_kernels_${level} PRIVATE ${ARGN} ${kernel_optimisation} -ffp-contract=fast
                           -fno-math-errno -fno-trapping-math)
    target_link_libraries(faltung_kernels_${level} PRIVATE faltung_checks)
    set_target_properties(faltung_kernels_${level} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    string(TOUPPER ${level} upper)
    set(faltung_kernel_targets ${faltung_kernel_targets} faltung_kernels_${level} PARENT_SCOPE)
    set(faltung_level_definitions ${faltung_level_definitions} FAL__HAVE_${upper} PARENT_SCOPE)
    set(faltung_levels ${faltung_levels} ${level} PARENT_SCOPE)
    set(faltung_flags_${level} ${ARGN} PARENT_SCOPE)
endfunction()

fal_kernel_level(generic)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    fal_kernel_level(avx2 -march=x86-64-v3)
    fal_kernel_level(avx512 -march=x86-64-v4 -mprefer-vector-width=512)
endif()
