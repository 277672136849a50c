#!/usr/bin/env bash
# The keeper: however a command and what belongs to it are killed, the slot is
# held until the command has ended, and free then.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END

# --- with a daemon left behind: the keeper frees the slot ---------------------------
# ends_by NAME: how it ends; its end is in $status.
command_killed() { end_by "$1" KILL; }
command_terminated() { end_by "$1" TERM; }
command_killed_while_stopped() {
    signal "$1" STOP
    soon "stopped $1" || die "'$1' should have stopped"
    still_waits b || die "'b' should wait for a stopped command"
    end_by "$1" KILL
}
group_signalled() {
    echo "end $1" >>trace
    kill -s "$2" -- "-${pids[$1]}"
    finish "$1"
}
group_killed() { group_signalled "$1" KILL; }
group_terminated() { group_signalled "$1" TERM; }
group_hung_up() { group_signalled "$1" HUP; }
group_interrupted() { group_signalled "$1" INT; }

for how in command_killed:137 command_terminated:143 command_killed_while_stopped:137 \
    group_killed:137 group_terminated:143 group_hung_up:129 group_interrupted:130; do
    expected=${how#*:} how=${how%:*}
    leaver a -g hw1
    queue b -g hw1
    ok 'still_waits b' "${how//_/ }: held before"
    $how a
    is "$status" "$expected" "... dies of the signal"
    ok 'starts b' "... free after it"
    ok '! dead "$daemon" && has_open "$daemon" "$slot"' "... although a daemon has the slot open"
    end b
    ok 'end_daemon "$daemon"' "... the daemon ends"
done
is "$(most_at_once)" 1 "one at a time"

# --- the command survives what kills its process group ------------------------------
cat >bin/stubborn <<'END'
#!/bin/sh
# stubborn ID: ignores SIGTERM; its child, whose pid ID.child has, does not.
sleep 150 &
echo $! >"$1.child"
trap '' TERM
exec leave "$1"
END
chmod 755 bin/stubborn
holder a "$grouplock" run -g hw1 -- stubborn a
await_daemon a
keeper=$(keeper_of a)
queue b -g hw1
kill -TERM -- "-${pids[a]}"
ok 'soon "dead $(<a.child)"' "SIGTERM for the process group: a child of the command dies"
ok "! dead ${pids[a]} && ! dead $keeper" "... the command, which ignores it, lives, and so does the keeper"
ok 'still_waits b' "... the slot is held"
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "... from everybody"
end a
is "$status" 0 "the command ends when it wants to"
ok 'starts b' "... and then the slot is free"
ok 'has_open "$daemon" "$slot"' "... although a daemon has the slot open"
end b
end_daemons

# --- the keeper is killed too: the kernel frees the slot ----------------------------
# CI servers that look for what a build has left find the keeper too: it has the build's environment.
keeper_then_command() {
    kill_keeper "$1"
    still_waits b || die "'b' should wait for a command without a keeper"
    end_by "$1" KILL
}
command_then_keeper() {
    local keeper
    keeper=$(keeper_of "$1")
    echo "end $1" >>trace
    kill -STOP "$keeper"
    soon "[[ \$(field $keeper State) == T* ]]" || die "the keeper should have stopped"
    signal "$1" KILL
    finish "$1"
    still_waits b || die "'b' should wait for a keeper that is stopped"
    kill -KILL "$keeper"
}
both_at_once() {
    echo "end $1" >>trace
    kill -KILL "${pids[$1]}" "$(keeper_of "$1")"
    finish "$1"
}
for how in keeper_then_command command_then_keeper both_at_once; do
    hold a -g hw1
    queue b -g hw1
    $how a
    is "$status" 137 "${how//_/ } killed"
    ok 'starts b' "... the slot is free"
    end b
done
ok '[[ ! -e ran ]]' "nobody else has run"
is "$(most_at_once)" 1 "one at a time"

# --- killed at any moment from the start on -----------------------------------------
cat >bin/kill-early <<'END'
#!/usr/bin/perl
# kill-early COUNT COMMAND...: starts it so many times and kills it, each time a little later.
use Time::HiRes 'usleep';
my $count = shift;
for my $i (1 .. $count) {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) { exec { $ARGV[0] } @ARGV; die "exec: $!" }
    usleep 80 * $i;
    kill KILL => $pid or die "kill: $!";
    waitpid $pid, 0;
    ++$ends{$? == 9 ? 'killed' : "other: $?"};
}
print "$_ $ends{$_}\n" for sort keys %ends;
END
chmod 755 bin/kill-early
run kill-early 100 "$grouplock" run -q -g hw1 -- sleep 150
is "$out" 'killed 100' "a hundred runs, each killed at another moment of its start"
run "$grouplock" run -g hw1 -t "$patience" -- true
is "$status" 0 "... the slot is free"
ok 'soon no_keepers' "... and no keeper is left"

# --- the helper that makes the keeper -----------------------------------------------
if strace -o /dev/null true; then
    # Killed as it begins; the next one is, too, and so on: to each process it is the first setsid(2).
    run strace -f -qqq -e signal=none -o calls -e trace=setsid -e inject=setsid:signal=KILL:when=1 \
        "$grouplock" run -g hw1 -- touch ran
    refused "helpers that are all killed" 'cannot start the keeper'
    ok '[[ ! -e ran ]]' "... the command has not run"
    ok '(($(grep -c "setsid()" calls) > 3))' "... it was tried more than once"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 0 "... the slot is free"
    # Killed when it has nothing more to do: the keeper is there, and once only.
    for how in '' adopting; do
        holder a $how strace -D -f -qq -o calls -e trace=exit -e inject=exit:signal=KILL:when=1 \
            "$grouplock" run -g hw1 -- leave a
        await_daemon a
        ok 'grep -q "killed by SIGKILL" calls' "$how a helper that is killed when the keeper is there"
        is "$(keepers | wc -l)" 1 "... there is one keeper"
        queue b -g hw1
        end a
        ok 'starts b' "... which frees the slot"
        end b
        end_daemons
    done
else
    skip "strace cannot trace here"
fi

done_testing
