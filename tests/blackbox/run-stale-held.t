#!/usr/bin/env bash
# A GROUPLOCK_HELD that is true no more is as none: what could never start is refused before it waits.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
hw2 = 200
[slots link]
* = 1
END
hold a -g hw1 -l link
stale=$(environ a GROUPLOCK_HELD)
end a
hold a -g hw1
other=hw1/link/slot.0=0123456789abcdef0123456789abcdef
many=$("$grouplock" run -g hw2 -- sh -c 'echo "$GROUPLOCK_HELD"')
for what in none over another record junk; do
    held=$stale
    case $what in
        none) held='' ;;
        another) held=$other ;;
        record) run "$grouplock" run -g hw1 -l link -- true ;;
        junk) : >locks/hw1/link/slot.0 ;;
    esac
    GROUPLOCK_HELD=$held run timeout 20 "$grouplock" run -g hw1 -l default -l link=5 -- touch ran
    refused "$what: more than there ever is of a second lock, the first one is busy" "5 slots" "'link'"
    GROUPLOCK_HELD=$held run timeout 20 "$grouplock" claim -g hw1 -l default -l link=5
    [[ $out == '(exit 125)' ]] && out=''
    refused "... by claim" "5 slots" "'link'"
done
hold b -g hw2 -x
# No room for the descriptors: that too is known before.
for held in '' "$many" hw2/default/slot.0=0123456789abcdef0123456789abcdef; do
    GROUPLOCK_HELD=$held run timeout 20 prlimit --nofile=150:150 "$grouplock" run -g hw2 -c 100 -- touch ran
    refused "too low a limit of descriptors, variable '${held:0:20}'" 'ulimit -Hn'
done
end b
# What is true still counts: a nested call adds nothing, however low the limit.
run "$grouplock" run -g hw2 -c 100 -- prlimit --nofile=120:120 "$grouplock" run -g hw2 -c 100 -- echo ran
is "$status:$out:$err" 0:ran: "a nested call under a low limit"
end a
ok '[[ ! -e ran ]]' "nothing else ran"
done_testing
