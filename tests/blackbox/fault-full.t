#!/usr/bin/env bash
# A full disk and a used-up quota, of every size in which something still fits: each call succeeds
# or says so and changes nothing. run-directory.t has the first call on a disk that is full.

# A mount is seen by all processes of a namespace: this test takes one of its own.
if ((EUID == 0)) && [[ -z ${fault_full_namespace-} ]]; then
    fault_full_namespace=1 exec unshare -m "$BASH" "$0"
fi
. "$(dirname "$0")/lib.sh"

if ((EUID != 0)); then
    skip "only root may mount a tmpfs"
    done_testing
fi
write_config <<'END'
[slots]
* = 1
END
place=locks/hw1/default
mounted=
unmount() {
    if [[ $mounted ]]; then umount -l locks; fi
    mounted=
}
trap 'unmount; cleanup' EXIT

# disk OPTION: a fresh file system in place of the directory.
disk() {
    unmount
    mount -t tmpfs -o "mode=700,$1" full locks || die "cannot mount a tmpfs"
    mounted=1
}
fill() {
    dd if=/dev/zero of=locks/filler bs=4k status=none 2>/dev/null
    ok '! (echo x >locks/probe) 2>/dev/null' "the disk is full"
    rm -f locks/probe
}

# as_it_ends NAME: the last `run` ran its command, or was refused, and the slot is free.
as_it_ends() {
    if ((status == 125)); then
        refused "$1: refused" locks 'No space left on device'
        [[ ! -e ran ]]
        verdict $? "... and the command did not run"
    else
        is "$status:$err" 0: "$1: ran"
    fi
    rm -f ran
    ok 'all_free hw1 default 0' "... and no slot is kept"
}

# --- room for the first few files, or pages, only -----------------------------------------------------
for option in nr_inodes={1..6} size={4,8,12,16,20}k; do
    disk "$option"
    run "$grouplock" run -g hw1 -n -- touch ran
    as_it_ends "a new directory with $option"
    run "$grouplock" run -g hw1 -n -- touch ran
    as_it_ends "... and once more"
done
is "$status" 0 "with room for five pages it runs"

# --- full, but all the files are there ----------------------------------------------------------------
disk size=64k
run "$grouplock" run -g hw1 -- true
fill
run "$grouplock" run -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "a full disk with the files in place: runs"

# --- it becomes full while somebody holds -------------------------------------------------------------
hold holder -g hw1
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "... a newcomer that does not wait is told that it is busy"
run "$grouplock" run -g hw1 -t 20 -- touch ran
refused "... one that would wait has no room for a ticket" ticket 'No space left on device'
is "$(find $place -name 'ticket.*')" '' "... and leaves none"
rm locks/filler
queue waiter -g hw1
fill
ok 'still_waits waiter' "... one that has its ticket waits on"
end holder
ok 'starts waiter' "... and gets the slot, full as the disk is"
end waiter
run "$grouplock" run -g hw1 -n -- echo ran
is "$status:$out:$err" 0:ran: "... and so does the next"

# --- claims -------------------------------------------------------------------------------------------
spawn build sleep 100
run "$grouplock" claim -q -g hw1 --pid "${pids[build]}"
is "$status" 0 "a claim on a full disk"
held=$(sed -n "s/^GROUPLOCK_HELD='\(.*\)';.*/\1/p" run.out)
run "$grouplock" run -q -g hw1 -n -- touch ran
is "$status" 75 "... holds"
run env GROUPLOCK_HELD="$held" "$grouplock" run -g hw1 -n -- echo nested
is "$status:$out" 0:nested "... a nested call passes"
run env GROUPLOCK_HELD="$held" "$grouplock" release
is "$status:$err" 0: "... and can be released"
ok 'all_free hw1 default 0' "... so that the slot is free"
end_by build TERM
disk size=4k
spawn build sleep 100
run "$grouplock" claim -q -g hw1 --pid "${pids[build]}"
is "$status:$lines" 125:1 "a claim without room for its files is refused"
is "$out" '(exit 125)' "... so that eval fails"
ok 'all_free hw1 default 0' "... and no slot is kept"
end_by build TERM
ok '[[ ! -e ran ]]' "nothing ran that should not have"

done_testing
