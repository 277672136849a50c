#!/usr/bin/env bash
# Every option and every command stands in --help, the manual page, its synopsis, the README and the three
# completions, with its argument, and none of them has one that the others do not.
. "$(dirname "$0")/docs.sh"

: >groups.ini

# same NAME FILE: it has the lines of `options`, in any order.
same() {
    diff <(sort options) <(sort -u "$2") >difference
    verdict $? "$1" || diag "$(grep '^[<>]' difference | sed 's/^</missing:/; s/^>/too much:/')"
}

options_of_help >help
is "${#commands[@]}" 6 "there are commands: ${commands[*]}"
ok '(($(wc -l <help) > 50))' "... and options"
for command in "${commands[@]}"; do
    help_of "$command" >of-command
    is "$(grep -c '^Usage: ' of-command)" 1 "$command --help begins with its usage"
    is "$(awk 'length > 110' of-command)" '' "... in short lines"
    is "$(help_of -h | grep -c "^  $command  ")" 1 "... and --help lists $command"
done

cp help options
options_of_manual >manual
same "the manual page has every option of --help, where the command is described" manual
is "$(uniq -d <(sort manual))" '' "... once"

# Those of all commands stand before the command.
grep -Ev '^[a-z]+\|[fdh]\|' help >options
options_of_readme >readme
same "the README has every option" readme
grep -v '|h|' options | awk -F'|' '{ print $1 "|" ($2 ? $2 : $3) "|" $4 }' >letters
mv letters options
options_of_synopsis >synopsis
same "the synopsis has every option" synopsis
is "$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$manual" | grep -Ec '^\.Op Fl (f Ar file|d Ar dir)$')" \
    $((2 * ${#commands[@]})) "... -f and -d for each command"

perl -F'\|' -lane 'print "$F[0]|-$F[1]" if length $F[1]; print "$F[0]|--$F[2]"' help >options
for shell in bash zsh fish; do
    needs_shell "$shell"
    options_of_shell "$shell" >"of-$shell"
    same "the completion of $shell offers every option" "of-$shell"
    is "$(offers "$shell" '')" "$(printf '%s\n' "${commands[@]}" | sort | paste -sd ' ')" "... and every command"
done

commands_of() { grep . | sort | paste -sd ' '; }
expected=$(printf '%s\n' "${commands[@]}" | commands_of)
is "$(sed -n '/^There are six commands/,/^\.El/s/^\.It Cm //p' "$manual" | commands_of)" "$expected" \
    "the manual page has every command"
is "$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/s/^\.Cm //p' "$manual" | commands_of)" "$expected" "... its synopsis too"
is "$(sed -n '/^    grouplock \[-f/,/^[^ ]/s/^    \([a-z]*\)  .*/\1/p' "$root/README.md" | commands_of)" "$expected" \
    "... and the README"
for command in "${commands[@]}"; do
    like "$(<"$root/CHANGELOG.md")" "\`grouplock $command\`" "the changelog knows $command"
done

done_testing
