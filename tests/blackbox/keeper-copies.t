#!/usr/bin/env bash
# The keeper on a machine with many processes, where it has a copy of the caller's memory instead of sharing it:
# all that it is for is as it is elsewhere.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END

# The crowd is there until its standard input ends.
exec {crowd_end}> >(exec "$root/tests/crowd.py" >crowd.out 2>&1)
soon '[[ $(<crowd.out) == ready ]]' || die "there should be many threads: $(<crowd.out)"

run "$grouplock" run -g hw1 -- sh -c 'exit 7'
is "$status:$err" 7: "a run in a crowd has its command's status"
ok 'all_free hw1 default 0' "... and its slot is free again"
ok 'no_keepers' "... without a keeper left"

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    run strace -f -qq -e trace=clone -e signal=none -o clones "$grouplock" run -g hw1 -- true
    is "$status" 0 "traced, too, it ends"
    ok 'grep -q "flags=CLONE_VFORK" clones' "the helper has a copy" || diag "$(<clones)"
else
    skip 'nobody may be traced here'
fi

leaver a -g hw1
keeper=$(keeper_of a)
ok '[[ $keeper ]]' "a command has a keeper"
is "$(field "$keeper" Threads):$(ps -o sid= -p "$keeper" | tr -d ' '):$(readlink "/proc/$keeper/cwd")" "1:$keeper:/" \
    "... one thread in a session of its own"
is "$(fds "$keeper" | awk '$1 < 3 { print $2 }' | sort -u)" /dev/null "... with nothing of the caller's open"
ok '[[ $(field "$keeper" PPid) != "${pids[a]}" ]]' "... and nobody's child"
queue b -g hw1
end a
ok 'starts b' "the command leaves a daemon, and the next waiter starts"
ok 'end_daemon "$daemon"' "the daemon ends"
end b

holder c "$grouplock" run -g hw1 -- close-all c
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "a command that has closed all descriptors holds its slot"
kill_keeper c
ok 'all_free hw1 default 0' "... which the keeper had for it"
end c

leaver d -g hw1
end_by d KILL
ok 'all_free hw1 default 0' "a command that is killed: the keeper frees its slot"
end_daemons

# A claim: its keeper lives on in the copy.
run sh -c 'eval "$("$grouplock" claim -g hw1 --max 1h)"; "$grouplock" run -g hw1 -- echo nested; "$grouplock" run -g hw1 -n -- true
    env -u GROUPLOCK_HELD "$grouplock" run -g hw1 -n -q -- true; echo "others $?"; "$grouplock" release'
is "$out" $'nested\nothers 75' "a claim holds, passes its own calls and no others"
is "$status:$err" 0: "... and is released"
ok 'all_free hw1 default 0' "... to the last slot"

exec {crowd_end}>&-
done_testing
