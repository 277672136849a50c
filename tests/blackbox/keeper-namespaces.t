#!/usr/bin/env bash
# The keeper in a PID namespace, as containers have them: where the command is its
# first process, and where the namespace ends under it.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END

own_pids=(unshare --pid --fork)
((UID == 0)) || own_pids+=(--user --map-root-user)
if ! "${own_pids[@]}" true 2>/dev/null; then
    skip "no PID namespaces here"
    done_testing
fi

# inner NAME: the pid, out here, of the first process in the namespace of NAME's unshare.
inner() {
    soon "grep -lsqx 'PPid:[[:space:]]*${pids[$1]}' /proc/[0-9]*/status" || die "'$1' should have a namespace"
    grep -lsx "PPid:[[:space:]]*${pids[$1]}" /proc/[0-9]*/status | cut -d/ -f3
}

# --- the command as its first process -----------------------------------------------------
for options in '' --mount-proc; do
    for code in 0 3; do
        # shellcheck disable=SC2086 # a word or none
        run "${own_pids[@]}" $options "$grouplock" run -g hw1 -- sh -c "echo \"pid \$\$\"; exit $code"
        is "$status:$out:$err" "$code:pid 1:" "unshare -pf $options: a command as PID 1 exits with $code"
        ok 'all_free hw1 default 0' "... and its slot is free"
    done
done
run "${own_pids[@]}" "$grouplock" run -g hw1 -- sh -c 'true & true & wait; echo "waited $?"'
is "$status:$out" '0:waited 0' "a PID 1 that waits for its children"
run "${own_pids[@]}" "$grouplock" run -g hw1 -- perl -e '
    for (1 .. 3) { fork // die or exit }
    1 while (my $pid = wait) != -1 and ++$count;
    print "waited for $count\n"'
is "$status:$out" '0:waited for 3' "... until there are none, as an init does"

# It closes its descriptors: its keeper holds.
holder a "${own_pids[@]}" "$grouplock" run -g hw1 -- close-all a
ok '! has_open "$(inner a)" "$slot"' "a PID 1 that has closed all"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... has the slot"
queue b -g hw1
ok 'still_waits b' "... for which others wait"
end a
ok 'starts b' "... until it ends"
end b

# What it leaves behind ends with it.
for how in 'by itself' 'by SIGKILL'; do
    holder a "${own_pids[@]}" "$grouplock" run -g hw1 -- leave a
    await_daemon a
    rm a.daemon  # it has a pid of the namespace
    queue b -g hw1
    ok 'still_waits b' "a PID 1 with a daemon that ends $how"
    if [[ $how == 'by itself' ]]; then
        end a
    else
        echo 'end a' >>trace
        kill -KILL "$(inner a)"
        finish a
    fi
    ok 'starts b' "... the slot is free"
    end b
    ok 'soon no_keepers' "... and no keeper is left"
done

# --- somewhere in a namespace whose first process dies -----------------------------------------
cat >bin/first <<'END'
#!/bin/sh
# first COMMAND...: a first process that goes on when COMMAND, which it starts, has ended.
"$@" &
wait
exec sleep 150
END
chmod 755 bin/first
for command in hold leave close-all; do
    holder a "${own_pids[@]}" first "$grouplock" run -g hw1 -- $command a
    if [[ $command == leave ]]; then
        await_daemon a
        rm a.daemon
    fi
    first=$(inner a)
    ok '[[ $(<"/proc/$first/comm") == first && $(keepers) ]]' "$command in a namespace: the first process is another"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "... the slot is held"
    queue b -g hw1
    ok 'still_waits b' "... and waited for"
    echo "end a" >>trace
    kill -KILL "$first"
    finish a
    ok 'starts b' "... the first process is killed: the slot is free"
    end b
    ok 'soon no_keepers' "... and no keeper is left"
done

# The namespace goes on when the command has ended; so does the daemon in it.
holder a "${own_pids[@]}" first "$grouplock" run -g hw1 -- leave a
await_daemon a
rm a.daemon
queue b -g hw1
ok 'still_waits b' "a command in a namespace that leaves a daemon behind"
echo go 1<>a.go
ok 'starts b' "... ends: the slot is free"
daemons=$(find /proc/[0-9]*/fd -lname "$here/$slot" 2>/dev/null | cut -d/ -f3 | xargs -I{} cat /proc/{}/comm | sort | paste -sd ' ')
like "$daemons" '(^| )sleep( |$)' "... although the daemon lives and has the slot open"
end b
kill -KILL "$(inner a)"
finish a

# The directory is shared between namespaces, and so is the limit.
hold a -g hw1
run "${own_pids[@]}" "$grouplock" run -g hw1 -n -- true
is "$status" 75 "a holder out here is respected in there"
spawn b "${own_pids[@]}" "$grouplock" run -g hw1 -- true
soon 'queued_pid "$(inner b)"' || die "'b' should have queued"
end a
finish b
is "$status" 0 "... and waited for"
is "$(most_at_once)" 1 "one at a time"

done_testing
