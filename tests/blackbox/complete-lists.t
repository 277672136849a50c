#!/usr/bin/env bash
# which --list: the names that completion offers, for scripts as well.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[grouplock]
strict = yes
[workers]
Win-7   = HW2
w?n     = hw2
win-10  = hw1
linux-* = farm
[slots link]
hw10    = 1
[slots]
vm-*    = 2
END

# lists KIND: in one line.
lists() {
    run "$grouplock" which --list "$1"
    is "$status:$err:${out//$'\n'/ }" "0::$2" "$3"
}
lists workers 'win-7 win-10' "workers: in lower case, sorted as people count, patterns left out"
lists groups 'farm hw1 hw2 hw10' "groups: of [workers] and of all slots sections, patterns left out"
lists locks 'default link' "locks, and the one that always exists"

run env GROUPLOCK_WORKER=stray "$grouplock" which --list groups
is "$status" 0 "no worker need be known"
for options in '-w win-7' '-l link' -q -J; do
    # shellcheck disable=SC2086 # an option and its argument
    run "$grouplock" which $options --list locks
    refused "--list excludes $options" --list
done
run "$grouplock" which --list slots
refused "a kind that there is not" "'slots'" workers groups locks
write_config </dev/null
lists workers '' "an empty file names no worker"
lists locks default "... but has a lock"
run "$grouplock" which -f missing.ini --list workers
refused "no file" missing.ini
run sh -c '"$grouplock" which --list locks >/dev/full'
is "$status" 125 "a disk that is full is told"
done_testing
