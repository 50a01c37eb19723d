# SPDX-License-Identifier: BSD-3-Clause
# Run by the build: writes the files FILES of layers into the C file OUTPUT, a table named by bench/sets.h.
set(tables "")
set(rows "")
foreach(file IN LISTS FILES)
    cmake_path(GET file STEM name)
    file(STRINGS ${file} lines)
    set(body "")
    foreach(line IN LISTS lines)
        string(REGEX REPLACE "([\"\\\\])" "\\\\\\1" line "${line}")
        string(APPEND body "    \"${line}\",\n")
    endforeach()
    string(APPEND tables "static const char *const ${name}[] = {\n${body}    NULL};\n")
    string(APPEND rows "    {\"${name}\", ${name}},\n")
endforeach()
file(WRITE ${OUTPUT} "/* Written by the build from bench/sets. */
#include <stddef.h>

#include \"bench/sets.h\"

${tables}
const bench_set bench_sets[] = {
${rows}    {NULL, NULL}};
")
