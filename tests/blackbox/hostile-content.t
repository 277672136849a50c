#!/usr/bin/env bash
# Hostile neighbours: files and names that a member of the build group made, regular but not as
# grouplock would make them.
. "$(dirname "$0")/hostile.sh"

write_config <<'END'
[slots]
* = 1
END

# told NAME STATUS...: the last command ended with one of these, and printed no control characters,
# to stderr nothing but lines that begin as they must.
told() {
    local name=$1 problem=''
    shift
    [[ " $* " == *" $status "* ]] || problem="status $status"
    if grep -qv '^grouplock: ' run.err; then problem+=', lines of others'; fi
    if cat run.out run.err | tr -d '\n' | grep -q '[[:cntrl:]]'; then problem+=', control characters'; fi
    [[ -z $problem ]]
    verdict $? "$name" || { diag "wrong: $problem"; diag "$(cat -v run.out run.err | head -n 20)"; }
}

# looked_at NAME COMMAND...: who only looks survives it, too.
looked_at() {
    local command
    for command in "${@:2}"; do
        # shellcheck disable=SC2086 # a command and its options
        run member 2 timeout 60 grouplock $command
        told "$1: $command" 0 1 125
    done
}

# --- regular, but not as expected ---------------------------------------------------------------------
for file in gate slot.0 ticket.1 ticket.18446744073709551615 ticket.1152921504606846975; do
    fresh_group
    # shellcheck disable=SC2016 # the inner shell's
    member 1 sh -c 'umask 0; head -c 1000000 /dev/urandom >"$1"' sh "$place/$file"
    run timeout 60 grouplock run -g hw1 -t 20 -- echo ran
    is "$status:$out:$err" '0:ran:' "a megabyte of anything in $file: root runs"
    run member 2 timeout 60 grouplock run -g hw1 -t 20 -- echo ran
    is "$status:$out:$err" '0:ran:' "... and so does a member"
    hold holder -g hw1
    run member 2 grouplock run -g hw1 -q -n -- echo ran
    is "$status:$out" '75:' "... but not two at a time"
    looked_at "a megabyte in $file" status check
    end holder
done
fresh_group
member 1 install -m 000 /dev/null $place/slot.0
run member 2 grouplock run -g hw1 -- touch ran
refused "a slot that its owner closed to the others" $place/slot.0 'Permission denied'
rm $place/gate
member 1 install -m 000 /dev/null $place/gate
run member 2 grouplock run -g hw1 -- touch ran
refused "a gate that its owner closed to the others" $place/gate 'Permission denied'

# --- names that speak to a terminal -------------------------------------------------------------------
fresh_group
# shellcheck disable=SC2016 # nobody may run it
names=($'\e[31mred' $'\e]0;title\a' $'two\nlines' $'back\b\b\b' '%1B[31m' '%0A' $'\xff\xfe' '-rf' '$(id)' ' ')
for name in "${names[@]}"; do
    member 1 mkdir -m 2770 -- "locks/$name" "locks/hw1/$name"
    for file in "slot.$name" "ticket.$name" "$name"; do
        member 1 install -m 660 -- /dev/null "locks/hw1/default/$file"
        member 1 install -m 660 -- /dev/null "locks/hw1/$name/$file"
    done
done
looked_at "names with escape sequences" status 'status -J' 'status --prometheus' check 'release 01234567'
run member 2 grouplock run -g hw1 -- echo ran
is "$status:$out:$err" '0:ran:' "... nor are they in the way of a run"
run member 2 grouplock run -g hw1 -l $'\e[31mred' -- touch ran
refused "a lock of such a name" '\x1b[31mred'
run member 2 grouplock run -g $'\e[31mred' -- touch ran
refused "a group of such a name" '\x1b[31mred'
ok '[[ ! -e ran ]]' "nothing ran"

done_testing
