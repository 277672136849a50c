#!/usr/bin/env bash
# run: an uncontended run makes no more system calls than it did, since every step of every build pays for them.
. "$(dirname "$0")/lib.sh"

if ! command -v strace >/dev/null; then
    skip 'strace is not installed'
    done_testing
fi
if ! strace -o /dev/null true 2>/dev/null; then
    skip 'nobody may be traced here'
    done_testing
fi

ulimit -Sn 256 # as most callers have it: below the hard limit, which costs two calls

write_config <<<$'[slots]\n* = 1'

# count OPTION...: how many calls the process makes that becomes the command, from its first look at
# its own descriptors to the command's exec, into own; how many the keeper and its helper, into others.
# The C library's start is not ours, and how often it asks for memory (and for a random number, once) or waits for a futex
# depends, and how often the keeper sleeps depends on how long the command takes.
count() {
    local process call first execs=0 started=0
    own=0 others=0
    strace -f -qq -e signal=none -o calls "$grouplock" run "$@" -w w -- true || die 'the traced run failed'
    first=$(awk 'NR == 1 { print $1 }' calls)
    while read -r process call; do
        case $call in
        brk\(* | mmap\(* | munmap\(* | futex\(* | *GRND_NONBLOCK* | ppoll\(* | madvise\(* | '<'* | '+'*) continue ;;
        execve\(*) ((++execs)) ;;
        'poll([{fd=0,'*) started=1 ;;
        esac
        if [[ $process != "$first" ]]; then
            ((++others))
        elif ((started && execs == 1)); then
            ((++own))
        fi
    done <calls
    ((started && execs > 1)) || die 'the trace shows no run'
}

# A number here may become smaller. Who makes it larger says what the new call is worth.
# Six have iniparser read a copy of the config in memory that is known to be whole.
# One lets a write beyond ulimit -f fail instead of ending the process (main.c).
# Two of the keeper's make sure that the slot is still its command's, which may have unlocked it (keeper.c).
# One asks who has called, without whom a waiter that nobody hears ends (talk.c).
# Two ask the clock, which is cheaper than the page faults of the vDSO (clock.c).
# One asks for the time namespace, by whose clock the record's start time is (proc.c).
# at_most NAME COUNT LIMIT
at_most() {
    ok "(($2 <= $3))" "$1: $2 system calls, at most $3" || diag "$(cat calls)"
}

run "$grouplock" run -w w -- true # now the lock has its directory and files
ok '((status == 0))' 'the first run makes what there has to be'
ok 'all_free w default 0' 'and its slot is free again'

count
at_most 'a run, from its config to its command' "$own" 67
at_most 'its keeper' "$others" 17
ok 'all_free w default 0' 'the slot is free again'

count -k
at_most 'a run with -k' "$own" 59
is "$others" 0 'which has no keeper'

done_testing
