#!/usr/bin/env bash
# The keeper of a claim is what the keeper of a command is; but it alone holds the slots, it
# takes one signal, and when it is killed the slots are free at once.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
hw3 = 3
hw40 = 40
[slots link]
* = 2
END
claimed=hw1/default/slot.0

# stat_of PID INDEX: a field of /proc/PID/stat, counted from the state, which is 1.
stat_of() {
    local line fields
    line=$(<"/proc/$1/stat")
    read -ra fields <<<"${line##*) }"
    echo "${fields[$2 - 1]}"
}

# portrait PID: what is the same for every keeper.
portrait() {
    echo "comm $(<"/proc/$1/comm")"
    echo "cmdline $(tr -d '\0' <"/proc/$1/cmdline")"
    echo "args $(ps -ww -o args= -p "$1" | sed 's/ *$//')"
    echo "session $(($(stat_of "$1" 4) == $1)) group $(($(stat_of "$1" 3) == $1)) terminal $(stat_of "$1" 5) state $(stat_of "$1" 1)"
    echo "threads $(field "$1" Threads) blocked $(field "$1" SigBlk) ignored $(field "$1" SigIgn) caught $(field "$1" SigCgt)"
    echo "pending $(field "$1" SigPnd) $(field "$1" ShdPnd)"
    echo "directory $(readlink "/proc/$1/cwd")"
    fds "$1" | head -n 3
}

# just_needed NAME WHAT...: besides 0, 1 and 2 the keeper has these open and nothing else.
just_needed() {
    is "$(fds "$keeper" | sed 1,3d | cut -d' ' -f2- | sed 's/.*\[\(.*\)\]/\1/' | sort)" "$(printf '%s\n' "${@:2}" | sort)" "$1"
}

# --- what it is ---------------------------------------------------------------------------
hold a -g hw1
keeper=$(keeper_of a)
portrait "$keeper" >command.portrait
end a
build b dash
claim_in b -g hw1
keeper=$(keeper_of b)
ok '[[ $keeper ]]' "a claim has a keeper"
is "$(keepers)" "$keeper" "... and only one"
is "$(portrait "$keeper")" "$(<command.portrait)" "... which is as that of a command: name, session, signals, directory, 0 to 2"
like "$(<command.portrait)" 'comm grouplock-keepe'$'\n''.*session 1 group 1 terminal 0 state S'$'\n''threads 1 ' "... that was a keeper"
just_needed "it has open a pidfd, a signalfd and the slot" pidfd signalfd "$here/locks/$claimed"
is "$(bound_pid "$keeper")" "${pids[b]}" "... the pidfd is the script's"
is "$(sed -n 's/^sigmask:[[:space:]]*//p' "/proc/$keeper/fdinfo/"* 2>/dev/null)" 0800000000000000 "... the signalfd is for the signal of release"
ok '[[ $(field "$keeper" PPid) != "${pids[b]}" ]] && ! pgrep -P "${pids[b]}" >/dev/null' "the script has no child for it"

# Memory. Pages of the program's file are shared with every other grouplock; what is added to a
# program by a sanitizer does not count.
if grep -q -e __asan_init -e __tsan_init "$grouplock"; then
    skip "this program is built with a sanitizer, which has memory of its own"
else
    memory=$(field "$keeper" RssAnon)
    ok "((${memory% kB} < 1024))" "the memory of its own is less than 1 MB ($memory)"
fi
tell b exit
finish b
ok 'soon "dead $keeper"' "the script ends, and so does the keeper"

# Several slots; after a wait; of a caller with descriptors of its own; without a process.
exec 5<groups.ini 57<groups.ini 100<groups.ini 333<groups.ini
build b bash
exec 5<&- 57<&- 100<&- 333<&-
claim_in b -g hw3 -l default=2 -l link=2
keeper=$(keeper_of b)
is "$(keepers)" "$keeper" "four slots of two locks, a caller with four files open: one keeper"
just_needed "... has what it needs" pidfd signalfd "$here"/locks/hw3/{default,link}/slot.{0,1}
does b '"$grouplock" release; unset GROUPLOCK_HELD'
hold holder -g hw1
queue_claim b -g hw1
end holder
answers b || die "'b' should have claimed"
keeper=$(keeper_of b)
just_needed "after a wait in the queue: what it needs" pidfd signalfd "$here/locks/$claimed"
is "$(portrait "$keeper")" "$(<command.portrait)" "... and as ever"
tell b exit
finish b
run "$grouplock" claim -g hw1 --pid 0 --max 1h
keeper=$(keepers)
just_needed "bound to no process: no pidfd" signalfd "$here/locks/$claimed"
is "$(portrait "$keeper")" "$(<command.portrait)" "... and as ever"
run "$grouplock" release "$(said_value CLAIM)"

# --- signals ------------------------------------------------------------------------------------
build b dash
claim_in b -g hw1
queue next -g hw1
keeper=$(keeper_of b)
perl -MPOSIX -e 'my $pid = shift; for (1 .. 64) { next if $_ == SIGKILL || $_ == SIGSTOP; kill $_, $pid or die "$_: $!" }' \
    "$keeper" || die "the keeper should have been there"
ok 'still_waits next && ! dead "$keeper"' "all signals but two, sent to the keeper: the slot is held"
does b 'trap "" TERM HUP INT; kill -TERM 0; kill -HUP 0; kill -INT 0; trap - TERM HUP INT'
ok 'still_waits next && ! dead "$keeper"' "signals for the script's process group do not reach it"
for i in 1 2 3; do
    kill -STOP "$keeper"
    soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped ($i)"
    kill -CONT "$keeper"
    soon '[[ $(field "$keeper" State) == S* ]]' || die "the keeper should sleep again ($i)"
done
ok 'still_waits next' "stopped and continued: the slot is held"
does b '"$grouplock" run -g hw1 -n -- echo in'
is "$status:$out" 0:in "... and steps pass"
does b '"$grouplock" release'
is "$status" 0 "release finds it among all that is pending"
ok 'starts next' "... and frees the slot"
ok 'soon "dead $keeper"' "... and is the keeper's end"
does b '"$grouplock" release'
is "$status" 0 "... after which a release is a second one"
end next
tell b exit
finish b

# --- killed -----------------------------------------------------------------------------------------
for shell in "${shells[@]}"; do
    build b "$shell"
    claim_in b -g hw1
    does b 'echo $GROUPLOCK_CLAIM'
    id=$out
    keeper=$(keeper_of b)
    queue next -g hw1
    kill -KILL "$keeper"
    ok 'starts next' "$shell: SIGKILL of the keeper: the slot is free at once"
    does b 'echo alive; "$grouplock" run -g hw1 -n -- true'
    is "$status:$out" 75:alive "... although the script lives, a step of which does not pass"
    end next
    does b 'unset GROUPLOCK_HELD'
    claim_in b -g hw1
    does b 'echo $GROUPLOCK_CLAIM'
    id=$out
    kill -KILL "$(keeper_of b)"
    all_free hw1 default 0
    does b '"$grouplock" release'
    is "$status:$err" "0:grouplock: claim $id had already ended: its keeper was killed" "... release says so"
    does b '"$grouplock" release $GROUPLOCK_CLAIM'
    is "$status:$err" "0:grouplock: claim $id had already ended: its keeper was killed" "... of its id, too"
    tell b exit
    finish b
done
build b dash
claim_in b -g hw3 -l default=3 -l link=2
kill -KILL "$(keeper_of b)"
ok 'all_free hw3 default 0 1 2 && all_free hw3 link 0 1' "... of all slots of all locks"
end_by b KILL

# The keeper first, or the script first, with the other stopped.
build b dash
claim_in b -g hw1
keeper=$(keeper_of b)
kill -STOP "$keeper"
soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped"
end_by b KILL
is "$(held_slots)" "$claimed" "a script is killed, and its keeper is stopped: held"
kill -KILL "$keeper"
ok 'all_free hw1 default 0' "... until that is killed, too"

# --- a release that cannot reach it ------------------------------------------------------------------
build b dash
claim_in b -g hw1
keeper=$(keeper_of b)
kill -STOP "$keeper"
soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped"
does b '"$grouplock" release'
is "$status" 1 "a keeper that is stopped: release fails"
like "$err" "^grouplock: .*pid $keeper,.*stopped" "... and says which process that is"
is "$lines" 1 "... in one line"
is "$(held_slots)" "$claimed" "... and the slot is held"
kill -CONT "$keeper"
ok 'all_free hw1 default 0' "... until the keeper goes on"
does b '"$grouplock" release'
is "$status:$err" 0: "... and then it is released"
tell b exit
finish b

# --- few descriptors, and system calls that fail -------------------------------------------------------
for n in 8 16 64; do
    run bash -c "ulimit -Sn $n; $(claiming -g hw3 -c 3)"' && "$grouplock" run -g hw3 -n -c 3 -- sh -c "ulimit -Sn"'
    is "$status:$out:$err" "0:$n:" "a soft limit of $n open files: a claim of three slots is had"
done
ok 'all_free hw3 default 0 1 2' "... and freed"
worked=0 refused=0 limits=({5..20} 40 100 120)
if linked_statically; then limits+=({0..4}); fi # the dynamic loader needs some for itself, and so does a leak's report
for n in "${limits[@]}"; do
    : >run.out
    run bash -c "ulimit -n $n; exec \"\$grouplock\" claim -g hw40 -c 40 --pid $$"
    if [[ $status == 0 && $err == '' ]]; then
        ((++worked))
        run "$grouplock" release "$(said_value CLAIM)"
        ((status == 0)) || die "the claim should be released: $err"
    elif [[ $status == 125 && $err == 'grouplock: '* && $lines == 1 && -z $(held_slots) ]]; then
        ((++refused))
    else
        is "$status:$out:$err:$(held_slots)" 'a claim or 125' "at most $n open files"
        end_claims
    fi
done
ok '((worked >= 1 && refused >= 15 && worked + refused == ${#limits[@]}))' \
    "at most ${limits[0]} to 120 open files, forty slots: a claim ($worked) or a refusal in one line ($refused)"
is "$(held_slots)" '' "... and nothing is held"
if ! strace -o trace.out true; then
    skip "strace cannot trace here, so that no system call can be made to fail"
    done_testing
fi
# failing SYSCALL ERROR OPTION...: a claim bound to this shell, traced by a process that is not its parent.
failing() {
    run strace -D -f -qq -o failed.trace -e "trace=$1" -e "inject=$1:error=$2" -e signal=none "$grouplock" claim -g hw1 "${@:3}"
}
for error in ENOSYS EPERM; do
    failing pidfd_open $error
    bad_claim "pidfd_open fails with $error: there is no claim without" pidfd_open
    like "$(<failed.trace)" "pidfd_open\(.*\) += -1 $error .*INJECTED" "... it did fail"
done
failing pidfd_open ENOSYS --pid 0 --max 1h
is "$status:$(held_slots)" "0:$claimed" "... but one that is bound to no process needs none"
run "$grouplock" release "$(said_value CLAIM)"
# The last two: a keeper without that descriptor could not be told to release.
for failure in pidfd_open:EMFILE pidfd_open:ENOMEM clone:EAGAIN clone:ENOMEM signalfd4:EMFILE signalfd4:ENOMEM; do
    failing "${failure%:*}" "${failure#*:}"
    bad_claim "${failure%:*} fails with ${failure#*:}: a clear error"
done
run "$grouplock" run -g hw1 -n -- true
is "$status" 0 "the slot is free"
is "$(most_at_once)" 1 "one at a time"
ok 'soon no_keepers' "no keeper is left"

done_testing
