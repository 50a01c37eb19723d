# SPDX-License-Identifier: BSD-3-Clause
# Tests: each tests/<area>/test_<what>.c is a program of its own, each tests/<area>/test_<what>.sh and
# .py a script, registered as <area>.<what> with the label <area>. Programs run in the root of the
# source; scripts find the build through the environment variables below. Exit status 77: skipped.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(NOT CMOCKA_FOUND) # `make` needs less than `make test`, which runs ctest with --no-tests=error
    message(STATUS "No cmocka: the tests are not built")
    return()
endif()
find_package(Python3 COMPONENTS Interpreter)
set(FALTUNG_TEST_AREAS "" CACHE STRING "Only the tests of these areas, such as unit;memory; empty: all")

set(test_timeout 900) # seconds; a slow or busy machine shall not fail
# Tests run side by side with several threads each: those that wait must not spin.
set(test_environment OMP_WAIT_POLICY=passive FALTUNG_SOURCE_DIR=${PROJECT_SOURCE_DIR} FALTUNG_BUILD_DIR=${PROJECT_BINARY_DIR}
    FALTUNG_COMMAND=${PROJECT_BINARY_DIR}/faltung "CC=${CMAKE_C_COMPILER}")

function(fal_add_test area what)
    add_test(NAME ${area}.${what} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${area}.${what} PROPERTIES LABELS ${area} TIMEOUT ${test_timeout}
                         SKIP_RETURN_CODE 77 ENVIRONMENT "${test_environment}")
endfunction()

file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.c)
if(support_sources)
    add_library(faltung_test_support STATIC ${support_sources})
    target_include_directories(faltung_test_support PUBLIC ${PROJECT_SOURCE_DIR} tests)
    target_link_libraries(faltung_test_support PUBLIC faltung_internal faltung_static PkgConfig::CMOCKA)
endif()

file(GLOB programs CONFIGURE_DEPENDS tests/*/test_*.c)
foreach(program IN LISTS programs)
    cmake_path(GET program PARENT_PATH folder)
    cmake_path(GET folder FILENAME area)
    cmake_path(GET program STEM what)
    string(REGEX REPLACE "^test_" "" what ${what})
    if(FALTUNG_TEST_AREAS AND NOT area IN_LIST FALTUNG_TEST_AREAS)
        continue()
    endif()
    add_executable(test_${area}_${what} ${program})
    target_include_directories(test_${area}_${what} PRIVATE ${PROJECT_SOURCE_DIR} tests)
    target_link_libraries(test_${area}_${what} PRIVATE faltung_internal PkgConfig::CMOCKA ${CMAKE_DL_LIBS})
    foreach(library faltung_test_support faltung_draw faltung_io faltung_static)
        if(TARGET ${library})
            target_link_libraries(test_${area}_${what} PRIVATE ${library})
        endif()
    endforeach()
    set_target_properties(test_${area}_${what} PROPERTIES
                          RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    fal_add_test(${area} ${what} ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:test_${area}_${what}>)
endforeach()

# The C library that fails when told, for tests/faults. No sanitizer may look into it: it stands before them.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    add_library(test_faulty_libc MODULE tests/faults/faulty_libc.c)
    target_link_libraries(test_faulty_libc PRIVATE ${CMAKE_DL_LIBS})
    if(NOT FALTUNG_SANITIZE AND NOT FALTUNG_COVERAGE)
        target_link_libraries(test_faulty_libc PRIVATE faltung_checks)
    endif()
    set_target_properties(test_faulty_libc PROPERTIES C_VISIBILITY_PRESET default PREFIX "" OUTPUT_NAME faulty_libc
                          LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endif()

# A caller with parallel regions of its own.
if(OpenMP_C_FOUND AND TARGET test_properties_threads)
    target_link_libraries(test_properties_threads PRIVATE OpenMP::OpenMP_C)
endif()

file(GLOB scripts CONFIGURE_DEPENDS tests/*/test_*.sh tests/*/test_*.py)
foreach(script IN LISTS scripts)
    cmake_path(GET script PARENT_PATH folder)
    cmake_path(GET folder FILENAME area)
    cmake_path(GET script STEM what)
    string(REGEX REPLACE "^test_" "" what ${what})
    if(FALTUNG_TEST_AREAS AND NOT area IN_LIST FALTUNG_TEST_AREAS)
        continue()
    endif()
    if(script MATCHES "\\.sh$")
        fal_add_test(${area} ${what} sh ${script})
    elseif(Python3_FOUND)
        fal_add_test(${area} ${what} ${Python3_EXECUTABLE} -B ${script})
    endif()
endforeach()

# The checks that `make lint` runs are tests as well.
file(GLOB checks CONFIGURE_DEPENDS tools/check_*.py)
foreach(check IN LISTS checks)
    cmake_path(GET check STEM what)
    string(REGEX REPLACE "^check_" "" what ${what})
    if(Python3_FOUND AND NOT CMAKE_CROSSCOMPILING)
        fal_add_test(house ${what} ${Python3_EXECUTABLE} -B ${check})
    endif()
endforeach()
