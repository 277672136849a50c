#!/usr/bin/env bash
# Claims 8: waiters that are stopped. ^Z leaves the queue; what cannot leave it is
# named to those behind.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
hw1 = 1
hw2 = 2
[slots build]
* = 1
[slots link]
* = 1
END

# --- ^Z and fg ----------------------------------------------------------------
hold holder -g hw1
for name in a b c; do queue $name -g hw1; done
signal a TSTP
ok 'soon "stopped a"' "SIGTSTP stops the head"
ok '! queued a' "... and it has left the queue"
ok 'soon "asleep b locks/hw1/default/slot.0"' "... so that the next is head"
signal c TSTP
ok 'soon "stopped c"' "SIGTSTP stops the last"
ok '! queued c' "... and it has left the queue too"
queue d -g hw1
signal c CONT
ok 'soon "queued c"' "SIGCONT: it is in the queue again"
signal a CONT
ok 'soon "queued a"' "... and so is the other"
queue e -g hw1
end holder
for name in b d c a e; do
    ok "starts $name" "$name comes"
    others=()
    for other in b d c a e; do
        held $other || others+=("$other")
    done
    ((${#others[@]} == 0)) || ok "still_waits ${others[*]}" "... before ${others[*]}"
    end $name
done
is "$(start_order)" 'holder b d c a e' "those that were stopped stand at the end, in the order of their return"

# Stopped while others come and go; then there is nobody to wait for.
hold holder -g hw1
queue a -g hw1
queue b -g hw1
signal a TSTP
soon 'stopped a' || die "'a' should have stopped"
end holder
ok 'starts b' "those behind a stopped waiter pass"
end b
run "$grouplock" run -g hw1 -n -- echo ran
is "$status:$out" 0:ran "... and newcomers"
signal a CONT
ok 'starts a' "continued, it takes what is free"
end a
is "$status" 0 "... as if nothing had been"

# Nobody could continue a process group of a session of its own, so the kernel does not stop it: setpgid(2).
hold holder -g hw1
mkfifo detached.go
spawn session setsid --wait "$grouplock" run -g hw1 -- hold detached
soon 'pids[detached]=$(tr -d " " <"/proc/${pids[session]}/task/${pids[session]}/children") && queued detached' ||
    die "'detached' should have queued"
queue b -g hw1
signal detached TSTP
ok 'still_waits detached b' "SIGTSTP does not stop who has a session of its own"
end holder
ok 'starts detached' "... nor takes it out of the queue"
ok 'still_waits b' "... so that nobody passes"
unset 'pids[detached]'
echo go 1<>detached.go
finish session
is "$status" 0 "... and it ends as any other"
end b

# Again and again; and a signal still ends it.
hold holder -g hw1
queue a -g hw1
for i in 1 2 3; do
    signal a TSTP
    soon 'stopped a' || die "'a' should have stopped ($i)"
    signal a CONT
    soon 'queued a' || die "'a' should be back ($i)"
done
ok 'still_waits a' "stopped and continued three times"
signal a TSTP
soon 'stopped a'
signal a TERM
signal a CONT
finish a
is "$status" 143 "a stopped waiter that is sent SIGTERM dies when continued"
end holder

# What was gathered is given back.
hold one -g hw2
queue both -g hw2 -c 2
queue single -g hw2
signal both TSTP
ok 'starts single' "a stopped waiter gives back what it had gathered"
signal both CONT
ok 'soon "queued both"' "... and gathers it again"
end one
end single
ok 'starts both' "... in its turn"
end both

# So is the first of several locks.
hold linker -g hw1 -l link
queue both -g hw1 -l build -l link
run "$grouplock" run -g hw1 -l build -n -- true
is "$status" 75 "a waiter for a second lock holds the first"
signal both TSTP
soon 'stopped both' || die "'both' should have stopped"
run "$grouplock" run -g hw1 -l build -n -- true
is "$status" 0 "... and gives it back when it stops"
signal both CONT
ok 'soon "queued both"' "continued, it waits again"
end linker
ok 'starts both' "... and gets both"
end both

# The command is stopped by ^Z as it would be alone.
hold holder -g hw1
signal holder TSTP
ok 'soon "stopped holder"' "a holder's command stops"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... and holds the slot"
signal holder CONT
end holder

# Who ignores SIGTSTP is not stopped by it.
hold holder -g hw1
rm -f a.held
spawn a sh -c 'trap "" TSTP; exec "$grouplock" run -g hw1 -- hold a'
soon 'queued a' || die "'a' should have queued"
queue b -g hw1
signal a TSTP
ok 'still_waits a b && ! stopped a' "a caller's ignored SIGTSTP does not stop the waiter"
end holder
ok 'starts a' "... which keeps its place"
end a
end b

# --- SIGSTOP ------------------------------------------------------------------
: >trace
hold holder -g hw1
queue head -g hw1
queue second -g hw1 --heartbeat 0.2
queue third -g hw1 --heartbeat 0.2
signal head STOP
soon 'stopped head' || die "'head' should have stopped"
ok 'lives_on second 3' "SIGSTOP of the head while the slot is held"
is "$(said second stopped)" 0 "... is nobody's business yet"
end holder
ok 'says second "^grouplock: .*head of the queue, pid ${pids[head]} on $(uname -n), seems to be stopped"' \
    "a free slot that a stopped head does not take: who waits behind it says so"
ok 'says third "pid ${pids[head]} on .*, seems to be stopped"' "... and so do those behind that"
ok 'still_waits second third' "nobody passes it"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... and no newcomer"
signal head CONT
ok 'starts head' "continued, it takes its slot"
ok 'still_waits second third' "... before the others"
end head
ok 'starts second' "then the second starts"
end second
end third
is "$(start_order)" 'holder head second third' "the order of it all"

# Killed while stopped it is out of the way at once.
hold holder -g hw1
queue head -g hw1
queue second -g hw1
signal head STOP
soon 'stopped head'
end holder
end_by head KILL
ok 'starts second' "a stopped head that is killed is in nobody's way"
end second

done_testing
