#!/usr/bin/env bash
# The keeper itself: what /proc says of it, and that it is in nobody's way.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
hw3 = 3
[slots link]
* = 2
END

# stat_of PID INDEX: a field of /proc/PID/stat, counted from the state, which is 1.
stat_of() {
    local line fields
    line=$(<"/proc/$1/stat")
    read -ra fields <<<"${line##*) }"
    echo "${fields[$2 - 1]}"
}

# just_needed SLOT...: $keeper has open what it needs and nothing else.
just_needed() {
    local others
    fds "$keeper" >keeper.fds
    others=$(sed 1,3d keeper.fds | cut -d' ' -f2- | sort)
    is "$(head -n 3 keeper.fds)" $'0 /dev/null\n1 /dev/null\n2 /dev/null' "... its descriptors 0, 1 and 2 are /dev/null"
    is "$others" "$(printf '%s\n' 'anon_inode:[pidfd]' "$@" | sort)" "... the others a pidfd and $# of slots"
}

# --- what it is -----------------------------------------------------------------------
hold a -g hw1
command=${pids[a]} keeper=$(keeper_of a)
ok '[[ $keeper ]]' "a command has a keeper"
is "$(keepers)" "$keeper" "... and only one"
is "$(stat_of "$keeper" 4)" "$keeper" "it leads a session of its own"
is "$(stat_of "$keeper" 3)" "$keeper" "... and a process group of its own"
is "$(stat_of "$keeper" 5)" 0 "... and has no terminal"
is "$(stat_of "$keeper" 1)" S "it sleeps"
is "$(field "$keeper" Threads)" 1 "... as one thread"
# The kernel's signals 1 to 64, without SIGKILL and SIGSTOP, which nobody can block.
blockable=$(perl -MPOSIX -e 'printf "%016x", ~0 ^ 1 << SIGKILL - 1 ^ 1 << SIGSTOP - 1')
is "$(field "$keeper" SigBlk)" "$blockable" "it blocks all signals that can be blocked"
is "$(field "$keeper" SigPnd):$(field "$keeper" ShdPnd)" 0000000000000000:0000000000000000 "... and none is pending"
is "$(readlink "/proc/$keeper/cwd")" / "its working directory is /"
just_needed "$here/$slot"
is "$(<"/proc/$keeper/comm")" grouplock-keepe "ps shows its name: comm"
is "$(tr -d '\0' <"/proc/$keeper/cmdline")" grouplock-keeper "... and cmdline"
is "$(ps -ww -o args= -p "$keeper" | sed 's/ *$//')" grouplock-keeper "... and ps -o args"
is "$(tr '\0' ' ' <"/proc/$command/cmdline")" "/bin/sh $dir/bin/hold a " "the command's is the command's"

# Memory. Pages of the program's file are shared with every other grouplock; what
# is added to a program by a sanitizer does not count.
if grep -q -e __asan_init -e __tsan_init "$grouplock"; then
    skip "this program is built with a sanitizer, which has memory of its own"
elif linked_statically; then
    # Soon: it keeps the pages that it shares with the process which starts the command.
    ok 'soon "((\$(field $keeper VmRSS | tr -dc 0-9) < 1024))"' "its memory, shared or not, is less than 1 MB"
else
    memory=$(field "$keeper" RssAnon)
    ok "((${memory% kB} < 1024))" "the memory of its own is less than 1 MB ($memory; linked dynamically)"
fi

end a
ok 'soon "dead $keeper"' "the command ends, and so does the keeper"

# --- descriptors ------------------------------------------------------------------------
hold a -g hw3 -l default=2 -l link=2
keeper=$(keeper_of a)
ok '[[ $keeper ]]' "four slots of two locks: one keeper"
just_needed "$here"/locks/hw3/{default,link}/slot.{0,1}
end a

hold holder -g hw1
queue a -g hw1
end holder
starts a || die "'a' should have started"
keeper=$(keeper_of a)
ok '[[ $keeper ]]' "after a wait in the queue: the keeper"
just_needed "$here/$slot"
end a

# What the caller has open is the command's alone.
exec {low}<groups.ini 57<groups.ini 100<groups.ini 333<groups.ini
hold a -g hw1
exec {low}<&- 57<&- 100<&- 333<&-
keeper=$(keeper_of a)
ok "[[ \$(fds ${pids[a]} | grep -c groups.ini) == 4 && \$keeper ]]" "a caller with four files open, which the command has open too"
just_needed "$here/$slot"
end a

# --- in nobody's way ----------------------------------------------------------------------
# A keeper that is stopped cannot have gone before the pipe is at its end.
cat >bin/pipeline <<'END'
#!/bin/bash
# pipeline ID FD: the command's descriptor FD is a pipe; what comes out is copied until its end.
fd=$2
exec "$grouplock" run -g hw1 -- hold "$1" {fd}>&- "$fd"> >(cat >"$1.copy"; echo end >"$1.eof")
END
chmod 755 bin/pipeline
for fd in 1 2 5 200; do
    rm -f a.eof
    holder a pipeline a $fd
    soon '[[ $(keeper_of a) ]]' || die "there should be a keeper"
    keeper=$(keeper_of a)
    kill -STOP "$keeper"
    soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped"
    ok '[[ ! -e a.eof ]]' "a pipe as descriptor $fd: open while the command runs"
    end a
    ok 'soon "[[ -s a.eof ]]"' "... at its end when the command ends"
    ok '! dead "$keeper" && has_open "$keeper" "$slot"' "... although the keeper is still there"
    kill -CONT "$keeper"
    ok 'all_free hw1 default 0' "... until it has freed the slot"
done

# The other way round: what the command writes when nobody reads any more.
cat >bin/chatter <<'END'
#!/bin/sh
# chatter ID: writes until that fails.
: >"$1.held"
exec yes
END
chmod 755 bin/chatter
holder a bash -c '"$grouplock" run -g hw1 -- chatter a | head -n 1; echo "status ${PIPESTATUS[0]}"'
finish a
is "$out" $'y\nstatus 141' "a command whose reader has gone dies by SIGPIPE"
ok 'all_free hw1 default 0' "... and its slot is free"

# --- the end ------------------------------------------------------------------------------
run reap "$grouplock" run -g hw1 -- true
is "$out" $'command 0\norphans grouplock-keepe 0 1' "who adopts the keeper can wait() for it like for any orphan"
run reap "$grouplock" run -g hw1 -- sh -c 'kill -KILL $$'
is "$out" $'command -9\norphans grouplock-keepe 0 1' "... also if the command is killed"
run reap "$grouplock" run -g hw1 -- no-such-command
is "$out" $'command 127\norphans grouplock-keepe 0 1' "... or cannot be started"
ok 'soon no_keepers' "no keeper is left"

done_testing
