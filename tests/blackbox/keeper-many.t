#!/usr/bin/env bash
# Many keepers, one after the other and all at once: none is left, and all end so
# that whoever adopts them can reap them.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
hw1 = 1
hw200 = 200
END

# --- a hundred in a row ---------------------------------------------------------------
cat >bin/in-a-row <<'END'
#!/bin/sh
# in-a-row COUNT: so many runs, one after the other.
i=0
while [ $((i += 1)) -le "$1" ]; do
    "$grouplock" run -q -g hw1 -- sh -c 'echo "start $1"; echo "end $1"' count "$i" >>trace || exit
done
END
chmod 755 bin/in-a-row
run reap in-a-row 100
is "$out" "$(reaped 100)" "a hundred runs in a row: a hundred keepers end well, and nothing else is left"
is "$err" '' "... without a word"
is "$(start_order)" "$(seq -s ' ' 100)" "... all ran"
is "$(most_at_once)" 1 "... one at a time"
ok 'no_keepers' "... no keeper is left"
ok 'slot_free hw1 default 0' "... and the slot is free"

# --- two hundred at once ----------------------------------------------------------------
# All run until the test lets go of the lock that they wait for.
: >trace
cat >bin/all-at-once <<'END'
#!/bin/sh
# all-at-once COUNT: so many runs that hold a slot at the same time.
i=0
while [ $((i += 1)) -le "$1" ]; do
    "$grouplock" run -g hw200 -- sh -c 'echo "start $1" >>trace; exec flock -s barrier echo "end $1" >>trace' run "$i" &
done
wait
END
chmod 755 bin/all-at-once
exec {barrier}>barrier
flock "$barrier"
spawn many reap all-at-once 200
ok 'wait_until 120 "((\$(grep -c ^start trace) == 200))"' "two hundred at once: all run"
is "$(keepers | wc -l)" 200 "... with a keeper each"
is "$(grep -c ^end trace)" 0 "... at the same time"
flock -u "$barrier"
finish many
is "$out" "$(reaped 200)" "... all end, all keepers with them, and nothing else is left"
is "$err" '' "... without a word"
is "$(sort -u trace | grep -c ^end)" 200 "... each once"
ok 'no_keepers' "... no keeper is left"
run "$grouplock" run -g hw200 -x -n -- true
is "$status" 0 "... and all slots are free"

done_testing
