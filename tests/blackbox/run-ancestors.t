#!/usr/bin/env bash
# A wait that could never end, since what is asked for is held by who waits for the waiter: a nested
# call that did not get GROUPLOCK_HELD, as under sudo. It is refused, and passes no more than any other.
# shellcheck disable=SC2016 # what nested shells run
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
hw2 = 2
hw3 = 3
[slots link]
* = 1
[slots named]
* = kit-a kit-b
END
chmod 755 .

cat >bin/lost <<'END'
#!/bin/sh
# lost COMMAND...: without the variable.
unset GROUPLOCK_HELD
exec "$@"
END
cat >bin/deep <<'END'
#!/bin/sh
# deep COMMAND...: some processes further down, in another session.
sh -c 'setsid -w sh -c "lost \"\$@\"; exit \$?" sh "$@"; exit $?' sh "$@"
exit $?
END
chmod 755 bin/lost bin/deep

# A wait that does not end is ended by this; nothing that is to be refused needs any of it.
waits=(timeout 20)

# dead_end NAME: the last command was refused since it would have waited for its own build, and is told what to do.
dead_end() {
    refused "$1" GROUPLOCK_HELD 'sudo --preserve-env=GROUPLOCK_HELD' "${@:2}"
    ok '[[ ! -e ran ]]' "... and did not run"
    rm -f ran
}

# --- run within run -------------------------------------------------------------------------------
for how in lost deep; do
    for option in '' '-t 150' '--heartbeat 0' '-c 1' -x; do
        # shellcheck disable=SC2086 # words
        run "${waits[@]}" "$grouplock" run -g hw1 -- $how "$grouplock" run -g hw1 $option -- touch ran
        dead_end "run -g hw1 -- $how run -g hw1 $option"
    done
    run "${waits[@]}" "$grouplock" run -g hw1 -- $how "$grouplock" claim -g hw1
    [[ $out == '(exit 125)' ]] && out=''
    dead_end "run -- $how claim"
    run "${waits[@]}" "$grouplock" run -g hw1 -k -- $how "$grouplock" run -g hw1 -- touch ran
    dead_end "run -k -- $how run"
    run "${waits[@]}" "$grouplock" run -q -g hw1 -- $how "$grouplock" run -q -g hw1 -E 0 -- touch ran
    dead_end "... under -q and -E, too"
    run "${waits[@]}" "$grouplock" run -g hw2 -c 2 -- $how "$grouplock" run -g hw2 -- touch ran
    dead_end "both of two slots are the ancestor's"
    run "${waits[@]}" "$grouplock" run -g hw2 -- $how "$grouplock" run -g hw2 -c 2 -- touch ran
    dead_end "one of two is, and both are asked for"
    run "${waits[@]}" "$grouplock" run -g hw2 -- $how "$grouplock" run -g hw2 -x -- touch ran
    dead_end "... by -x"
    run "${waits[@]}" "$grouplock" run -g hw2 -- $how "$grouplock" run -g hw2 -- $how "$grouplock" run -g hw2 -- touch ran
    dead_end "two ancestors have one each"
    run "${waits[@]}" "$grouplock" run -g hw1 -l link -- $how "$grouplock" run -g hw1 -l default -l link -- touch ran
    dead_end "the second of two locks" link
    run "${waits[@]}" "$grouplock" run -g hw1 -l named=2 -- $how "$grouplock" run -g hw1 -l named -- touch ran
    dead_end "slots with names" named
done
ok 'all_free hw1 default 0 && all_free hw1 link 0 && all_free hw2 default 0 1' "and all is free in the end"
if sudo -n true 2>/dev/null; then
    # shellcheck disable=SC2024
    run "${waits[@]}" "$grouplock" run -g hw1 -- \
        sudo -n "$grouplock" -f "$GROUPLOCK_CONFIG" -d "$GROUPLOCK_DIR" run -g hw1 -- touch ran
    dead_end "sudo in between"
    run "${waits[@]}" "$grouplock" run -g hw1 -- \
        sudo -n --preserve-env=GROUPLOCK_HELD "$grouplock" -f "$GROUPLOCK_CONFIG" -d "$GROUPLOCK_DIR" run -g hw1 -- echo ran
    is "$status:$out" 0:ran "... which passes as it is told to"
else
    skip "no sudo here"
fi

# What can be had now is had, whoever has the rest.
run "$grouplock" run -g hw2 -- lost "$grouplock" run -g hw2 -- echo ran
is "$status:$out:$err" 0:ran: "a slot that is free is taken, beside the ancestor's"
# Who does not wait is told what is so.
run "$grouplock" run -g hw1 -- lost "$grouplock" run -n -g hw1 -- touch ran
is "$status" 75 "-n does not wait, and finds no free slot"
run "$grouplock" run -g hw1 -- lost "$grouplock" run -n -E 0 -q -g hw1 -- touch ran
is "$status:$err" 0: "... as it says by -E"
# The queue is no way out either.
hold a -g hw3 -c 2
queue b -g hw3 -c 3
spawn c "${waits[@]}" "$grouplock" run -g hw2 -c 2 -- lost "$grouplock" run -g hw2 -- touch ran
finish c
dead_end "... with others in other queues"
end a
end b

# --- a wait that ends -----------------------------------------------------------------------------
hold stranger -g hw2
mkfifo in.go
spawn in "$grouplock" run -g hw2 -- lost "$grouplock" run -g hw2 -- hold in
soon 'grep -q "^state" locks/hw2/default/ticket.1 2>/dev/null' || die "'in' should have queued"
run "$grouplock" run -g hw2 -n -- true
is "$status" 75 "two slots, an ancestor's and a stranger's: no more is free"
ok '! held in' "... one waits"
end stranger
ok 'starts in' "... until the stranger ends"
echo go 1<>in.go
finish in
is "$status" 0 "... and is as any other"

# Until the limit is lowered: the head asks again.
hold stranger -g hw2
spawn in "${waits[@]}" "$grouplock" run -g hw2 -- lost "$grouplock" run -g hw2 -- touch ran
soon 'grep -qs "^state" locks/hw2/default/ticket.*' || die "'in' should have queued"
sed 's/^hw2 = 2/hw2 = 1/' "$GROUPLOCK_CONFIG" >lower.ini
cp "$GROUPLOCK_CONFIG" higher.ini
mv lower.ini "$GROUPLOCK_CONFIG"
finish in
err=$(grep -v 'the limit is\|in the queue' <<<"$err") lines=$(wc -l <<<"$err")
dead_end "the head of the queue when there are too few slots by now"
ok 'all_free hw2 default 1' "... its ancestor has ended, too"
mv higher.ini "$GROUPLOCK_CONFIG"
end stranger

# Its neighbour, not its ancestor: the parent has started both.
cat >bin/both <<'END'
#!/bin/sh
mkfifo one.go two.go
grouplock run -g hw1 -- hold one &
until [ -e one.held ]; do sleep 0.1; done
exec grouplock run -g hw1 -- hold two
END
chmod 755 bin/both
ln -s "$grouplock" bin/grouplock
spawn two both
soon '[[ -e one.held ]] && queued two' || die "'two' should have queued"
ok '! held two' "a sibling's slot is waited for"
echo go 1<>one.go
ok 'starts two' "... until it ends"
echo go 1<>two.go
finish two
is "$status" 0 "... and no error"

# An orphan has no such ancestor.
mkfifo orphan.go
run "$grouplock" run -g hw1 -- sh -c '
    setsid sh -c "until grep -qs ^go go.file; do sleep 0.1; done
        lost \"\$grouplock\" run -g hw1 -- hold orphan" </dev/null >/dev/null 2>&1 & '
is "$status" 0 "a command that leaves a daemon"
hold a -g hw1
echo go >go.file
soon 'grep -qs "^state" locks/hw1/default/ticket.*' || die "'orphan' should have queued"
ok '! held orphan' "... which waits for others"
end a
ok 'starts orphan' "... until they end"
echo go 1<>orphan.go
ok 'all_free hw1 default 0' "... and ends"

# A record of a process that has ended, whose pid is an ancestor's now, is nobody's.
hold a -g hw1
sed "s/^pid .*/pid $$/" $slot >record
cat record >$slot
queue b -g hw1
ok 'still_waits b' "a record with an ancestor's pid, but not its start time: no error"
end a
ok 'starts b' "... the wait ends"
end b

# --- claims -----------------------------------------------------------------------------------------
build b
claim_in b -g hw1
does b 'lost timeout 20 "$grouplock" run -g hw1 -- touch ran'
dead_end "a script's claim, and a step without the variable"
does b 'env -u GROUPLOCK_HELD timeout 20 "$grouplock" claim -g hw1'
[[ $out == '(exit 125)' ]] && out=''
dead_end "... and another claim"
does b 'deep timeout 20 "$grouplock" run -g hw1 -t 150 -- touch ran'
dead_end "... and far below"
does b '"$grouplock" run -n -g hw1 -- echo ran'
is "$status:$out" 0:ran "... a step with it passes"
tell b exit
finish b
ok 'all_free hw1 default 0' "the claim ends with its script"

# Bound by --pid: an agent's builds all descend from it.
cat >bin/agent <<'END'
#!/bin/sh
# agent: claims for as long as it lives itself, and runs a build in a shell of its own.
grouplock claim -q -g hw1 --pid $$ >claimed || exit
: >agent.ready
grouplock run -g hw1 --heartbeat 0.2 -- hold agent
END
chmod 755 bin/agent
mkfifo agent.go
spawn agent agent
soon '[[ -e agent.ready ]]' || die "the agent should have claimed"
ok 'soon "grep -qs ^state locks/hw1/default/ticket.*"' "a claim bound by --pid to an ancestor: its build waits"
run "$grouplock" release "$(sed -n "s/^GROUPLOCK_CLAIM='\(.*\)';.*/\1/p" claimed)"
is "$status" 0 "... until it is released"
ok 'starts agent' "... then it runs"
echo go 1<>agent.go
finish agent
is "$status" 0 "... as if nothing had been"
build step
does step '"$grouplock" claim -g hw1 --pid 0 --max 1h >claimed'
tell step '"$grouplock" run -g hw1 -- touch ran'
soon 'grep -qs ^state locks/hw1/default/ticket.*' || die "a step should wait"
run "$grouplock" release "$(sed -n "s/^GROUPLOCK_CLAIM='\(.*\)';.*/\1/p" claimed)"
answers step
is "$status" 0 "... nor does one that is bound to nothing stop anybody"
rm -f ran
end_by step KILL

# --- a claim that nobody wants any more -------------------------------------------------------------
for signal in KILL TERM HUP; do
    hold a -g hw1
    # The shell forks for the claim, and goes with it in its hand.
    spawn shell sh -c 'eval "$("$grouplock" claim -g hw1 --heartbeat 0)"; touch ran; :'
    soon 'grep -qs ^state locks/hw1/default/ticket.*' || die "a claim should wait"
    queue b -g hw1
    kill -$signal "${pids[shell]}"
    wait "${pids[shell]}" 2>/dev/null
    unset 'pids[shell]'
    ok 'soon "[[ \$("$grouplock" status -J -g hw1 | jq .locks[0].waiting) == 1 ]]"' "a waiting claim whose shell is gone (SIG$signal) leaves the queue"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "... while the slot is held"
    ok 'soon "asleep b $slot"' "... and the next one is the head"
    end a
    ok 'starts b' "... and starts"
    end b
    ok '[[ ! -e ran ]]' "... nothing of the script ran"
done
# Behind others, and as the head of several slots.
hold a -g hw2
queue b -g hw2 -c 2
spawn shell sh -c 'eval "$("$grouplock" claim -g hw2 -c 2)"; touch ran; :'
soon 'compgen -G "locks/hw2/default/ticket.*" | wc -l | grep -qx 2' || die "a claim should wait"
end_by shell KILL
ok 'soon "[[ \$("$grouplock" status -J -g hw2 | jq .locks[0].waiting) == 1 ]]"' "so does one that is not the head"
end a
end b
build script
spawn target sleep 150
tell script '"$grouplock" claim -g hw1 -l link; :'
answers script
hold a -g hw1
tell script "\"\$grouplock\" claim -g hw1 --pid ${pids[target]}"
soon 'claim_waits script' || die "a claim should wait"
end_by target KILL
ok 'answers script' "a claim whose --pid has ended does not wait either"
is "$status:$out" '125:(exit 125)' "... and says so"
like "$err" "^grouplock: (.*"$'\n'"grouplock: )?[^"$'\n'"]*ended[^"$'\n'"]*\$" "... and why"
end_by script KILL
# run goes on: it has a build to do, whoever has started it.
rm -f later.held
mkfifo later.go
spawn shell sh -c '"$grouplock" run -g hw1 -- hold later & wait; :'
soon 'grep -qs ^state locks/hw1/default/ticket.*' || die "'later' should wait"
kill -KILL "${pids[shell]}"
wait "${pids[shell]}" 2>/dev/null
end a
ok 'starts later' "a waiting run whose shell is gone goes on"
echo go 1<>later.go
ok 'all_free hw1 default 0' "... to its end"

done_testing
