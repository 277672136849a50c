#!/usr/bin/env bash
# Buildbot for real: a master and five workers of two machines on loopback, whose steps run under
# `grouplock run -w WORKER`.
# shellcheck disable=SC2016,SC2034,SC2317 # conditions
lifetime=400
# shellcheck source=tests/blackbox/lib.sh
. "$(dirname "$0")/../blackbox/lib.sh"

export BUILDBOT_TESTS=$root/tests/buildbot CONTROL=$dir/control
PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PORT

write_config <<'END'
[workers]
vm1 = hw1
vm2 = hw1
vm3 = hw1
vm4 = hw2
vm5 = hw2
[slots]
hw1 = 2
hw2 = 1
END

# --- the master and the workers --------------------------------------------------------------------

control() {
    /usr/bin/python3 "$BUILDBOT_TESTS/ctl.py" "$CONTROL" "$@" 2>>control.err
}

run buildbot create-master -r master
((status == 0)) || die "cannot create a master: $out $err"
cp "$BUILDBOT_TESTS/master.cfg" master/master.cfg
spawn master buildbot start --nodaemon master
for worker in vm1 vm2 vm3 vm4 vm5; do
    run buildbot-worker create-worker "$worker" "127.0.0.1:$PORT" "$worker" secret
    ((status == 0)) || die "cannot create a worker: $out $err"
    spawn "$worker" buildbot-worker start --nodaemon "$worker"
done
wait_until 100 '[[ -S $CONTROL && $(control workers | wc -l) == 5 ]]' || die "the workers should be there: $(tail -n 20 master/twistd.log)"

# job SECONDS: what a step runs; who runs, since when and to when, in the trace, one write for each line.
cat >bin/job <<'END'
#!/usr/bin/env bash
echo "start $GROUPLOCK_GROUP $EPOCHREALTIME" >>trace.builds
read -rt "$1" <>"$never"
waiters=("$GROUPLOCK_DIR/$GROUPLOCK_GROUP"/default/ticket.*)
[[ -e ${waiters[0]} ]] || waiters=()
echo "end $GROUPLOCK_GROUP $EPOCHREALTIME ${#waiters[@]}" >>trace.builds
END
sed -i "s|trace.builds|$dir/trace.builds|; s|\$never|$dir/never|" bin/job
chmod 755 bin/job

# force BUILDER COUNT OPTIONS COMMAND: both JSON
force() {
    control force "$1" "$2" "{\"options\": $3, \"command\": $4}"
}

# done BUILDER-REGEX COUNT: soon, so many builds of such builders have ended. results: their results
# (0 success, 2 failure, 6 cancelled).
done_builds() {
    control --until "^\\[\"($1)\".* [0-9]\\]" "$2" builds >/dev/null
}
results() {
    control builds | sed -En "s/^\\[\"($1)\".*, (.*)\\]/\\2/p" | sort | uniq -c | xargs
}

# --- thirty builds ---------------------------------------------------------------------------------

# thirty ROUND: six builds by each worker, longer ones in each round.
thirty() {
    : >trace.builds
    for worker in vm1 vm2 vm3 vm4 vm5; do
        force "build-$worker" 6 '[]' "[\"$dir/bin/job\", \"$1\"]"
    done
    done_builds 'build-.*' $((30 * $1))
}

# most GROUP: how many of its builds ran at once; gap: the median of the milliseconds from the end
# of a build that others wait for to the start of the next.
most() {
    grep -E " $1 " trace.builds | perl -ane '$n += $F[0] eq "start" ? 1 : -1; $m = $n if $n > $m; END { print $m }'
}
gap() {
    perl -ane '
        if ($F[0] eq "end") { push @{$ended{$F[1]}}, $F[2] if $F[3]; next }
        push @gaps, ($F[2] - shift @{$ended{$F[1]}}) * 1000 if @{$ended{$F[1]} // []};
        END { @gaps = sort { $a <=> $b } @gaps; printf "%d", @gaps >= 10 ? $gaps[@gaps / 2] : 99999 }' trace.builds
}

ok 'thirty 1' "thirty builds end"
is "$(results 'build-.*')" '30 0' "... with success"
is "$(grep -c '^start' trace.builds)" 30 "... each has run"
is "$(most hw1):$(most hw2)" 2:1 "... and no machine ever ran more than its slots allow, but as many"
# A machine that is busy with other things may be late once.
for round in 1 2 3; do
    took=$(gap)
    diag "from the end of a build to the start of the next: $took ms (median)"
    if ((took <= 100 || round == 3)); then break; fi
    thirty $((round + 1))
done
ok '((took <= 100))' "the next build starts within 100 ms of the end of the one before"

# --- stopping builds -------------------------------------------------------------------------------

# A build that runs until the test says so: held ID.
cat >bin/held <<END
#!/bin/sh
cd $dir && exec hold "\$1"
END
chmod 755 bin/held
mkfifo b4.go b5.go
force build-vm4 1 '[]' '["held", "b4"]'
ok 'starts b4' "a build runs"
force build-vm5 1 '[]' '["held", "b5"]'
waiting() {
    "$grouplock" status -J -g "$1" | jq -e ".locks[0].waiting == $2" >/dev/null
}
ok 'soon "waiting hw2 1"' "... the next one waits"
control stop build-vm5
ok 'soon "waiting hw2 0"' "a build is stopped while it waits: it has left the queue"
ok 'control --until "build-vm5.* 6]" 1 builds >/dev/null' "... cancelled"
ok '[[ ! -e b5.held ]]' "... and it never ran"
queue next -g hw2
control stop build-vm4
ok 'starts next' "a build is stopped while it runs: its slot is the next waiter's"
end next
ok 'control --until "build-vm4.* 6]" 1 builds >/dev/null' "... cancelled"
ok 'all_free hw2 default 0' "... and all is free"

# --- silence ---------------------------------------------------------------------------------------

hold outside1 -g hw1
hold outside2 -g hw1
force short-timeout 1 '["--heartbeat", "0"]' '["true"]'
ok 'done_builds short-timeout 1' "a step that says nothing while it waits ..."
is "$(results short-timeout)" '1 2' "... is ended by its timeout"
force short-timeout 1 '["--heartbeat", "1s"]' '["true"]'
ok 'control --until "grouplock: hw1 is full" 8 log short-timeout 2 >beats' "with a heartbeat it lives on for longer than that"
is "$(results short-timeout)" '1 2 1 null' "... and still waits"
end outside1
ok 'done_builds short-timeout 2' "... until it has its slot"
is "$(results short-timeout)" '1 0 1 2' "... and succeeds"
end outside2

# --- a daemon --------------------------------------------------------------------------------------

cat >bin/leaves-daemon <<END
#!/bin/sh
setsid sh -c 'echo \$\$ >$dir/daemon; exec sleep 150' </dev/null >/dev/null 2>&1 &
until [ -s $dir/daemon ]; do :; done
END
chmod 755 bin/leaves-daemon
before=$(control builds | grep -c build-vm4)
force build-vm4 1 '[]' '["leaves-daemon"]'
ok 'done_builds build-vm4 $((before + 1))' "a step that leaves a daemon behind ends"
ok 'all_free hw2 default 0 && kill -0 "$(<daemon)"' "... and its slot is free, while the daemon lives"
kill "$(<daemon)"

# --- canStartBuild ---------------------------------------------------------------------------------

hold outside1 -g hw1
hold outside2 -g hw1
force polite 1 '[]' '["true"]'
requests() {
    control builds | grep -c '^\["polite"'
}
force build-vm4 1 '[]' '["true"]'
ok 'done_builds build-vm4 $((before + 2))' "while hw1 is full, a build on hw2 is started ..."
is "$(requests)" 0 "... but none on hw1 where the master asks grouplock first"
is "$("$grouplock" status -J -g hw1 | jq '.locks[0].waiting')" 0 "... nor does one wait there"
end outside1
ok 'done_builds polite 1' "... until a slot is free"
end outside2
is "$(results polite)" '1 0' "... with success"

done_testing
