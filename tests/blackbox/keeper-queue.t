#!/usr/bin/env bash
# Many keepers of a long queue, and many daemons: none is left, and all slots are free.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
hw4 = 4
END

cat >bin/in-line <<'END'
#!/bin/sh
# in-line COUNT: so many runs at once for four slots. Every tenth leaves a daemon behind, which goes when it is told.
i=0
while [ $((i += 1)) -le "$1" ]; do
    "$grouplock" run -q -g hw4 -- sh -c 'echo "start $1" >>trace
        case $1 in *0) setsid flock -s barrier true & esac
        echo "end $1" >>trace' run "$i" &
done
wait
END
chmod 755 bin/in-line
# The daemons run until the test lets go of the lock that they wait for.
exec {barrier}>barrier
flock "$barrier"
spawn many reap in-line 100
ok 'wait_until 150 "((\$(grep -c ^end trace) == 100))"' "a hundred in the queue: all run, although ten leave daemons"
find /proc/[0-9]*/fd -lname "$here/locks/hw4/default/slot.*" -printf '%h\n' 2>/dev/null | sort -u >daemons
ok '(($(wc -l <daemons) >= 10))' "... which have slots open"
run "$grouplock" run -g hw4 -x -t "$patience" -- true
is "$status" 0 "... that are free"
flock -u "$barrier"
finish many
is "$(grep -v flock <<<"$out")" "$(reaped 100)" "... all keepers end, and nothing but daemons is left"
is "$err" '' "... without a word"
is "$(sort -u trace | grep -c ^end)" 100 "... each ran once"
ok '(($(most_at_once) <= 4))' "... four at a time"
ok 'no_keepers' "... no keeper is left"

done_testing
