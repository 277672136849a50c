#!/usr/bin/env bash
# Claims 6: limits that change while commands run and wait.
. "$(dirname "$0")/lib.sh"

# limit COUNT: the config with that limit.
limit() {
    write_config <<<$'[slots]\nhw1 = '"$1"
}

# --- raised -------------------------------------------------------------------
limit 1
hold a -g hw1
for name in b c d; do queue $name -g hw1; done
limit 2
ok 'starts b' "a raised limit lets the head in"
ok 'still_waits c d' "... and nobody else"
limit 4
ok 'starts c d' "raised by two, the next two"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... and then it is full again"
for name in a b c d; do end $name; done
limit 2
hold a -g hw1
queue big -g hw1 -c 2
queue small -g hw1
limit 3
ok 'starts big' "a raised limit lets in one that wants two"
ok 'still_waits small' "... and the one behind it does not fit"
for name in a big small; do end $name; done

# --- lowered ------------------------------------------------------------------
: >trace
limit 3
for name in a b c; do hold $name -g hw1; done
queue d -g hw1 --heartbeat 0.1
queue e -g hw1
limit 1
run "$grouplock" run -q -g hw1 -n -- true
is "$status" 75 "a lowered limit: no newcomer"
# Slot 2, above the new limit, is the last to come free.
end a
ok 'lives_on d 12 && still_waits d e' "one of three ends: nobody is admitted"
end b
ok 'lives_on d 12 && still_waits d e' "two of three have ended: nobody is admitted, as the slot above the limit counts"
ok 'kill -0 ${pids[c]} && held c' "nobody was evicted"
end c
ok 'starts d' "all have ended: the head is admitted"
ok 'still_waits e' "... and the next is not"
is "$(environ d GROUPLOCK_SLOT)" 0 "... to a slot below the limit"
end d
end e
is "$(start_order)" 'a b c d e' "the order of it all"

# The other way round: the last slots come free first.
limit 3
for name in a b c; do hold $name -g hw1; done
queue d -g hw1 --heartbeat 0.1
limit 2
end c
ok 'lives_on d 12 && still_waits d' "lowered to two, and two held: nobody is admitted"
end a
ok 'starts d' "one held: the head is admitted"
end b
end d

# --- closed -------------------------------------------------------------------
limit 1
hold a -g hw1
queue b -g hw1 --heartbeat 0
queue c -g hw1 --heartbeat 0.1
limit 0
ok 'says b "^grouplock: hw1 is closed \(0 slots\)"' "a limit of 0: the head says at once that the group is closed"
ok 'held a && kill -0 ${pids[a]}' "what runs goes on"
end a
ok 'lives_on c 12 && queued b && queued c && ! held b && ! held c' "nothing starts when it has ended"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "a newcomer's -n"
like "$err" '^grouplock: hw1 is closed \(0 slots\)' "... says so as well"
run "$grouplock" run -g hw1 -t 0.2 --heartbeat 0 -- true
is "$status" 75 "a newcomer that waits"
like "$(head -n 1 run.err)" '^grouplock: hw1 is closed \(0 slots\)' "... says so"
limit 1
ok 'starts b' "opened again, the head of the queue starts"
ok 'still_waits c' "... alone"
end b
ok 'starts c' "then the next"
end c
limit 0
start only -g hw1
ok 'says only "hw1 is closed"' "a closed group that nobody uses"
limit 1
ok 'starts only' "... opened"
end only
limit 0
start heavy -g hw1 -c 3
ok 'soon "queued heavy"' "any number waits for a closed group"
limit 3
ok 'starts heavy' "... opened wide enough"
end heavy

# --- callers that disagree ----------------------------------------------------
printf '[slots]\nhw2 = 2\nhw3 = 3\n' | write_config
printf '[slots]\nhw2 = 5\nhw3 = 3\n' >other.ini
run "$grouplock" run -g hw2 -- true
is "$err" '' "a limit seen for the first time: no word"
run "$grouplock" run -g hw2 -- true
is "$err" '' "the same limit as the last caller's: no word"
run "$grouplock" run -g hw2 -f other.ini -- echo ran
is "$status:$out:$(wc -l <run.err)" 0:ran:1 "another limit than the last caller's: one line"
like "$err" '^grouplock: .*hw2.*[^0-9](2[^0-9].*[^0-9]5|5[^0-9].*[^0-9]2)([^0-9]|$)' "... that names both numbers"
run "$grouplock" run -g hw2 -f other.ini -- true
is "$err" '' "... and not again for the same one"
run "$grouplock" run -g hw2 -q -- true
is "$err" '' "... nor under -q"
run "$grouplock" run -g hw3 -f other.ini -- true
run "$grouplock" run -g hw3 -- true
is "$err" '' "a group for which both say the same: no word"

done_testing
