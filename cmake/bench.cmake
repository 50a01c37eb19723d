# SPDX-License-Identifier: BSD-3-Clause
# faltung_bench: what `faltung bench` is made of: the layer sets of bench/sets as C tables, the loops that
# measure the machine's peak at each CPU level, and, if asked for, other libraries to race against.
option(FALTUNG_PEERS "Let `faltung bench --peers` race other libraries, those of OpenBLAS, oneDNN 2 and \
XNNPACK that are found; the command then links them" OFF)

# Each line of a set is a string of its own: C promises no longer ones than a few thousand characters.
file(GLOB set_files CONFIGURE_DEPENDS bench/sets/*.txt)
set(sets_source ${PROJECT_BINARY_DIR}/bench_sets.c)
add_custom_command(OUTPUT ${sets_source}
    COMMAND ${CMAKE_COMMAND} -D "FILES=${set_files}" -D OUTPUT=${sets_source}
            -P ${PROJECT_SOURCE_DIR}/cmake/bench_sets.cmake
    DEPENDS ${set_files} cmake/bench_sets.cmake
    COMMENT "Writing the layer sets as C tables" VERBATIM)

file(GLOB bench_sources CONFIGURE_DEPENDS bench/*.c)
list(FILTER bench_sources EXCLUDE REGEX "/(peer_[^/]*|peak_loop)\\.c$")
add_library(faltung_bench STATIC ${bench_sources} ${sets_source})
target_include_directories(faltung_bench PUBLIC ${PROJECT_SOURCE_DIR})
target_compile_definitions(faltung_bench PRIVATE ${faltung_level_definitions})
target_link_libraries(faltung_bench PUBLIC faltung_static PRIVATE faltung_checks)
if(OpenMP_C_FOUND)
    target_compile_options(faltung_bench PRIVATE ${openmp_flags})
endif()

# The lanes of a level are those that its kernels were compiled for.
set(lanes_generic 4)
set(lanes_avx2 8)
set(lanes_avx512 16)
foreach(level IN LISTS faltung_levels)
    add_library(faltung_peak_${level} OBJECT bench/peak_loop.c)
    target_include_directories(faltung_peak_${level} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(faltung_peak_${level} PRIVATE BENCH_LEVEL=${level}
                               BENCH_LANES=${lanes_${level}})
    target_compile_options(faltung_peak_${level} PRIVATE ${faltung_flags_${level}} -O3
                           -ffp-contract=fast)
    target_link_libraries(faltung_peak_${level} PRIVATE faltung_checks)
    set_target_properties(faltung_peak_${level} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    target_sources(faltung_bench PRIVATE $<TARGET_OBJECTS:faltung_peak_${level}>)
endforeach()

# ---- Peers ---------------------------------------------------------------------------------------

# fal_peer(NAME VALUE TARGET...): the peer of bench/peer_NAME.c is part of the build.
function(fal_peer name value)
    string(TOUPPER ${name} upper)
    target_sources(faltung_bench PRIVATE bench/peer_${name}.c)
    target_compile_definitions(faltung_bench PRIVATE BENCH_HAVE_${upper}=${value})
    target_link_libraries(faltung_bench PRIVATE ${ARGN})
    message(STATUS "Peer: ${name}")
endfunction()

if(FALTUNG_PEERS)
    pkg_check_modules(OPENBLAS IMPORTED_TARGET openblas)
    if(OPENBLAS_FOUND)
        fal_peer(openblas 1 PkgConfig::OPENBLAS)
    endif()
    # By hand, because oneDNN's package file fails where a GPU's libraries are missing. Version 3 has
    # another C interface.
    find_library(DNNL_LIBRARY dnnl)
    find_path(DNNL_INCLUDE oneapi/dnnl/dnnl_version.h)
    set(dnnl_major "")
    if(DNNL_LIBRARY AND DNNL_INCLUDE)
        file(STRINGS ${DNNL_INCLUDE}/oneapi/dnnl/dnnl_version.h dnnl_major REGEX "DNNL_VERSION_MAJOR +2$")
    endif()
    if(dnnl_major)
        fal_peer(onednn 1 ${DNNL_LIBRARY})
        target_include_directories(faltung_bench PRIVATE ${DNNL_INCLUDE})
    endif()
    find_library(XNNPACK_LIBRARY XNNPACK)
    find_library(PTHREADPOOL_LIBRARY pthreadpool)
    find_path(XNNPACK_INCLUDE xnnpack.h)
    # It has no version; Debian's package tells the day and commit of its source.
    set(xnnpack_version "of unknown version")
    execute_process(COMMAND dpkg-query -W -f "\${Version}" libxnnpack-dev
                    OUTPUT_VARIABLE debian_version RESULT_VARIABLE failed ERROR_QUIET)
    if(debian_version AND NOT failed)
        set(xnnpack_version ${debian_version})
    endif()
    if(XNNPACK_LIBRARY AND PTHREADPOOL_LIBRARY AND XNNPACK_INCLUDE)
        fal_peer(xnnpack "\"${xnnpack_version}\"" ${XNNPACK_LIBRARY} ${PTHREADPOOL_LIBRARY})
        target_include_directories(faltung_bench PRIVATE ${XNNPACK_INCLUDE})
    endif()
endif()
