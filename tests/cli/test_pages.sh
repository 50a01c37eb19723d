#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Help, manual pages and completions: every verb has them, and the tools that read them do not complain.
# A shell or man that is not installed is passed over.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command=${FALTUNG_COMMAND:-$here/../../build/faltung}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
complain() {
    echo "$*"
    failed=1
}

verbs=$("$command" help | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ "$(echo "$verbs" | wc -l)" -ge 20 ] || complain "too few verbs: $verbs"
for verb in '' $verbs; do
    "$command" help ${verb:+"$verb"} >"$scratch/help" || complain "no help on $verb"
    if [ -n "$verb" ]; then
        "$command" "$verb" --help | cmp - "$scratch/help" || complain "$verb --help differs from help $verb"
        "$command" "$verb" -h >"$scratch/short" || complain "no short help on $verb"
        short=$(wc -l <"$scratch/short") full=$(wc -l <"$scratch/help")
        [ "$short" -le "$full" ] || complain "$verb: -h is longer than --help"
        grep -q '^Examples:' "$scratch/help" || complain "$verb has no examples"
    fi
    ! grep -n '^.\{121\}' "$scratch/help" || complain "$verb: these lines of the help are too long"
    "$command" help --man ${verb:+"$verb"} >"$scratch/page.1" || complain "no manual page of $verb"
    grep -q '^\.SH EXAMPLES' "$scratch/page.1" || complain "the page of $verb has no EXAMPLES"
    grep -q '^\.SH EXIT STATUS' "$scratch/page.1" || complain "the page of $verb has no EXIT STATUS"
    if command -v man >/dev/null; then
        man --warnings -E UTF-8 -l "$scratch/page.1" >/dev/null 2>"$scratch/warnings"
        [ ! -s "$scratch/warnings" ] || complain "the page of $verb: $(cat "$scratch/warnings")"
    fi
done

for shell in bash zsh fish; do
    "$command" completion $shell >"$scratch/completion" || complain "no completions for $shell"
    for verb in $verbs; do
        grep -q -- "$verb" "$scratch/completion" || complain "$shell: $verb is missing"
    done
    if command -v $shell >/dev/null; then
        $shell -n "$scratch/completion" || complain "$shell does not read its completions"
    fi
done

# bash really completes: a verb, an option, a choice.
if command -v bash >/dev/null; then
    "$command" completion bash >"$scratch/completion"
    found=$(bash -c '. "$0"
        try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _faltung; echo "${COMPREPLY[*]}"; }
        try faltung conv-t
        try faltung conv --padding-m
        try faltung conv --layout nh
        try faltung grad conv-' "$scratch/completion")
    [ "$found" = 'conv-transpose
--padding-mode
nhwc
conv-transpose' ] || complain "bash completes to: $found"
fi
exit $failed
