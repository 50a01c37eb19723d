#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# command_pages.sh COMMAND FOLDER: has the built command write its own manual pages and completions,
# FOLDER/man/man1/faltung[-VERB].1 and FOLDER/completions. The build calls it.
set -eu
command=$1 folder=$2
verbs=$(sed -n 's/^VERB([a-z_]*, \.name = "\([a-z-]*\)".*/\1/p' "$(dirname "$0")/../cli/verbs.inc")

mkdir -p "$folder/man/man1" "$folder/completions"
"$command" help --man >"$folder/man/man1/faltung.1"
for verb in $verbs; do
    "$command" help --man "$verb" >"$folder/man/man1/faltung-$verb.1"
done
"$command" completion bash >"$folder/completions/faltung.bash"
"$command" completion zsh >"$folder/completions/_faltung"
"$command" completion fish >"$folder/completions/faltung.fish"
