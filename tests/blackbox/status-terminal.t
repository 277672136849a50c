#!/usr/bin/env bash
# status on a terminal: colour, and lines that fit.
. "$(dirname "$0")/lib.sh"

write_config <<<$'[slots]\nhw1 = 1\nhw2 = 0'
unset NO_COLOR

# on_terminal WIDTH [VARIABLE=VALUE...]: $out is what `status` writes to a terminal.
on_terminal() {
    local width=$1
    shift
    run env TERM=xterm "$@" script -qec "stty cols $width; '$grouplock' status" /dev/null
    out=${out//$'\r'/}
}

# plain: $out without colours.
plain() {
    printf '%s\n' "$out" | sed 's/\x1b\[[0-9;]*m//g'
}

# widest: the characters of its longest line.
widest() {
    plain | perl -CI -lne '$most = length if length > $most; END { print $most }'
}

# colour STATE: the escape sequence before it.
colour() {
    grep -o $'\e\\[[0-9;]*m'"$1" <<<"$out" | sed "s/$1//" | sort -u
}

long="hold a $(printf 'x%.0s' {1..300})"
mkfifo a.go
spawn a "$grouplock" run -w hw1 -- hold a "${long#hold a }"
starts a || die "'a' should have started"

run "$grouplock" status
like "$out" "$long" "in a pipe the command is whole"
unlike "$out" $'\e' "... and there is no colour"
head=$(head -n 1 <<<"$out")

on_terminal 80
is "$status" 0 "on a terminal"
like "$out" $'\e\\[[0-9;]*mheld *\e\\[0m' "... the state has a colour"
ok '[[ $(colour held) != "$(colour closed)" ]]' "... each its own"
is "$(widest)" 80 "... the longest line is as long as the terminal is wide"
is "$(plain | head -n 1)" "$head" "... the columns are those of the pipe"
like "$(plain)" 'hold a x+' "... the command begins as in the pipe"

on_terminal 100
is "$(widest)" 100 "a wider terminal shows more of it"
on_terminal 20
is "$(plain | grep -c 'held.* hold a $')" 1 "a very narrow one some of it"
on_terminal 0
is "$(widest)" 80 "one of unknown width counts as 80 wide"

on_terminal 80 NO_COLOR=1
unlike "$out" $'\e' "NO_COLOR: no colour"
like "$out" 'hold a x' "... but a table"
on_terminal 80 NO_COLOR=
like "$out" $'\e' "an empty NO_COLOR says nothing"
on_terminal 80 TERM=dumb
unlike "$out" $'\e' "TERM=dumb: no colour"

# A character of several bytes takes one column and is not cut in two.
end a
mkfifo b.go
spawn b "$grouplock" run -w hw1 -- hold b "$(printf 'ä%.0s' {1..300})"
starts b || die "'b' should have started"
on_terminal 80
is "$(widest)" 80 "a line of UTF-8 is as wide as the terminal"
ok 'plain | iconv -f UTF-8 -t UTF-8 >/dev/null' "... and still UTF-8"

done_testing
