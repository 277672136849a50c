#!/usr/bin/env bash
# The keeper: a daemon that a command leaves behind has the slot's descriptor
# open, and does not keep the slot with it.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
hw1 = 1
hw3 = 3
[slots link]
* = 2
END

# The daemon starts, the command ends, the next waiter starts; the daemon goes on.
leaver a -g hw1
ok 'has_open "$daemon" "$slot"' "a command starts a daemon, which has the slot open"
queue b -g hw1
ok 'still_waits b' "the slot is held while the command runs"
end a
is "$status" 0 "the command ends"
ok 'starts b' "... and the next waiter starts"
ok '! dead "$daemon" && has_open "$daemon" "$slot"' "... although the daemon still has the slot open"
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "... and has it alone"
ok 'end_daemon "$daemon"' "the daemon ends"
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "... which frees nobody's slot"
end b
ok 'all_free hw1 default 0' "the next command ends: the slot is free"
ok '[[ ! -e ran ]]' "nobody else has run"
is "$(most_at_once)" 1 "one at a time"

# What starts servers by the way: a shell that puts one into the background.
for i in 1 2 3 4 5; do
    run "$grouplock" run -q -g hw1 -t "$patience" -- sh -c 'setsid sleep 150 & echo $! >'"$i.daemon"
    is "$status:$err" 0: "build $i leaves a server behind"
done
open=0
for i in 1 2 3 4 5; do
    if has_open "$(<$i.daemon)" "$slot"; then ((++open)); fi
done
is "$open" 5 "all five servers have the slot open"
ok 'all_free hw1 default 0' "... and it is free"
end_daemons

# Whatever the daemon is: it stays in the command's process group and session,
# ignores the hangup, is stopped, or stands alone, twice removed.
cat >bin/leave-some <<'END'
#!/bin/sh
# leave-some ID: daemons of several kinds; ID.daemons has their pids when there are five.
echo $$ >"$1.command"
for kind in plain nohup stopped session removed; do
    export kind
    case $kind in
        plain) prefix= ;;
        nohup) prefix=nohup ;;
        stopped) prefix=setsid ;; # an orphaned process group with a stopped member is hung up
        session) prefix=setsid ;;
        removed) prefix='setsid -f' ;;
    esac
    $prefix sh -c 'echo $$ >"$1.$kind.daemon"; [ $kind != stopped ] || kill -STOP $$; exec sleep 150' \
        daemon "$1" </dev/null >/dev/null 2>&1 &
done
exec hold "$1"
END
chmod 755 bin/leave-some
kinds=(plain nohup stopped session removed)
holder a "$grouplock" run -g hw1 -- leave-some a
for kind in "${kinds[@]}"; do
    soon "[[ -s a.$kind.daemon ]]" || die "there should be a daemon '$kind'"
done
soon '[[ $(field $(<a.stopped.daemon) State) == T* ]]' || die "a daemon should have stopped"
queue b -g hw1
end a
ok 'starts b' "five daemons of different kinds: the next waiter starts"
for kind in "${kinds[@]}"; do
    ok "has_open \$(<a.$kind.daemon) $slot" "... although the slot is open in the daemon '$kind'"
done
end b
ok 'all_free hw1 default 0' "... and the slot is free after it"
end_daemons

# Several slots of several locks.
leaver a -g hw3 -l default=2 -l link=2
for file in hw3/default/slot.0 hw3/default/slot.1 hw3/link/slot.0 hw3/link/slot.1; do
    ok "has_open $daemon locks/$file" "the daemon has $file open"
done
queue b -g hw3 -l default=3 -l link=all
ok 'still_waits b' "all slots are wanted next"
end a
ok 'starts b' "... and had: the keeper frees every slot of every lock"
ok '! dead "$daemon" && has_open "$daemon" locks/hw3/link/slot.1' "... while the daemon lives"
end b
end_daemons

# The daemon's own builds queue like anybody's: what it inherited says that it
# holds the slot, and it does not.
mkfifo a.order
holder a "$grouplock" run -g hw1 -- leave-builder a
await_daemon a
ok 'grep -qz ^GROUPLOCK_HELD=hw1/ "/proc/$daemon/environ"' "a daemon inherits GROUPLOCK_HELD"
queue b -g hw1
end a
starts b || die "'b' should have started"
echo go 1<>a.order
ok 'soon "grep -q ^status a.daemon.out"' "... and runs a build of its own when the command has ended"
is "$(<a.daemon.out)" 'status 75' "... which finds the slot held by another"
end b

done_testing
