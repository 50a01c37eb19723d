# SPDX-License-Identifier: BSD-3-Clause
# What `make install` puts where: header, libraries, pkg-config file, CMake package, and the command
# with its man pages and completions. Nothing installed holds the prefix, so that the tree can be
# moved (DESTDIR, --prefix).
include(CMakePackageConfigHelpers)

install(TARGETS faltung faltung_static EXPORT faltung
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/faltung.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# pkg-config finds the prefix from the place of its file.
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
list(TRANSFORM faltung_link REPLACE "^m$" "-lm" OUTPUT_VARIABLE pc_private)
list(JOIN pc_private " " pc_private)
configure_file(cmake/faltung.pc.in faltung.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/faltung.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/faltung)
install(EXPORT faltung NAMESPACE faltung:: FILE faltungTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/faltungConfig.cmake.in faltungConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(faltungConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/faltungConfig.cmake ${PROJECT_BINARY_DIR}/faltungConfigVersion.cmake
        DESTINATION ${package})

if(NOT TARGET faltung_command)
    return()
endif()
add_dependencies(product faltung_command)
install(TARGETS faltung_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE draw/glyphs.txt DESTINATION ${CMAKE_INSTALL_DOCDIR}) # the letters in its pictures have their own

# The command's option table writes its man pages and completions, so the build asks the command.
if(CMAKE_CROSSCOMPILING)
    return()
endif()
set(share ${PROJECT_BINARY_DIR}/share)
add_custom_command(OUTPUT ${share}/stamp
    COMMAND sh ${PROJECT_SOURCE_DIR}/tools/command_pages.sh $<TARGET_FILE:faltung_command> ${share}
    COMMAND ${CMAKE_COMMAND} -E touch ${share}/stamp
    DEPENDS faltung_command tools/command_pages.sh
    COMMENT "Writing man pages and completions" VERBATIM)
add_custom_target(faltung_pages ALL DEPENDS ${share}/stamp)
add_dependencies(product faltung_pages)
install(DIRECTORY ${share}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${share}/completions/faltung.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME faltung)
install(FILES ${share}/completions/_faltung DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${share}/completions/faltung.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
