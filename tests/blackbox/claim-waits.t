#!/usr/bin/env bash
# claim waits in the line that run waits in, as run does.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[workers]
w1 = hw1
w2 = hw1
[slots]
* = 1
hw3 = 3
[slots link]
* = 1
END

# --- in the queue -------------------------------------------------------------
build b dash
hold holder -w w1
queue before -w w2
queue_claim b -w w1 --heartbeat 0.1
queue after -w w2
like "$(<b.warned)" "^grouplock: hw1 is full \(1 of 1\): 2nd in the queue after 0s; held by w1 \(/bin/sh $dir/bin/hold holder|hold holder, pid ${pids[holder]} on " \
    "a claim says at once where it stands"
ok 'soon "((\$(grep -c \"2nd in the queue\" b.warned) > 3))"' "... and at every heartbeat"
end holder
ok 'starts before && soon "claim_waits b" && still_waits after' "a claim stands where it joined the queue"
ok 'soon "grep -q \"1st in the queue\" b.warned"' "... and says when it is the first"
end before
ok 'answers b' "it has its turn"
is "$status:$out" 0: "... and is true"
like "$(tail -n 1 b.warned)" '^grouplock: got hw1 slot 0 after [0-9]+s$' "... and says so in its last line"
is "$(grep -vc '^grouplock: ' b.warned)" 0 "... each of which starts with grouplock:"
ok 'still_waits after' "who came later waits"
keeper=$(keeper_of b)
run "$grouplock" run -w w2 -n -- true
like "$err" "held by w1 \(claim of dash bin/build b, pid $keeper on [^ ]+, [0-9]+s\)" "... for the claim, its keeper being named"
run "$grouplock" claim -w w2 -n
is "$status" 75 "... and so does another claim"
does b '"$grouplock" release'
ok 'starts after' "the claim is released: the next starts"
queue_claim b -w w1 -q
end after
ok 'answers b' "a claim under -q"
is "$status:$err" 0: "... says nothing of its wait"
does b '"$grouplock" release'

# Weights and several locks, as run.
build c bash
hold one -g hw3
hold two -g hw3
queue_claim b -g hw3 -x
queue_claim c -g hw3
ok 'still_waits_claim() { claim_waits "$1" && [[ ! -e $1.answer ]]; }; still_waits_claim b && still_waits_claim c' \
    "a claim of all slots waits, and who wants one does not pass it"
end one
ok 'still_waits_claim b && still_waits_claim c' "... one holder ends: the same"
end two
ok 'answers b' "... all do: it has all"
does b 'echo $GROUPLOCK_SLOT'
is "$out" '0 1 2' "... three slots"
ok 'still_waits_claim c' "... and the next waits"
does b '"$grouplock" release'
ok 'answers c' "... until they are released"
does c '"$grouplock" release'

hold link -g hw1 -l link
queue_claim b -g hw1 -l link -l default
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "a claim that waits for one lock holds the one before"
end link
ok 'answers b' "... and gets both"
does b '"$grouplock" release'
ok 'slot_free hw1 default 0 && slot_free hw1 link 0' "... and gives both back"

# -t covers the wait.
hold holder -w w1
does b "$(claiming -w w2 -t 0.3 --heartbeat 0)"
is "$status" 75 "-t: the wait is given up"
like "$(tail -n 1 b.warned)" 'hw1 is full \(1 of 1\): gave up after [0-9]+s; held by w1 |hw1 is full \(1 of 1\); held by w1 ' "... and says who holds"

# --- a waiter that is signalled -------------------------------------------------
for signal in TERM:143 INT:130 HUP:129 KILL:137; do
    spawn claim "$grouplock" claim -w w2 --heartbeat 0
    soon 'queued claim' || die "'claim' should have queued"
    queue after -w w2
    end_by claim "${signal%:*}"
    is "$status:$out" "${signal#*:}:" "a claim in the queue dies by SIG${signal%:*}"
    ok "soon 'asleep after locks/hw1/default/slot.0'" "... and those behind it move up"
    end_by after TERM
done
spawn claim "$grouplock" claim -w w2 --heartbeat 0
soon 'queued claim' || die "'claim' should have queued"
queue after -w w2
signal claim TSTP
ok 'soon "stopped claim"' "a claim in the queue is stopped from the terminal"
ok 'soon "asleep after locks/hw1/default/slot.0" && ! queued claim' "... and leaves the queue"
signal claim CONT
ok 'soon "queued claim"' "... and stands in it again when continued"
end_by after KILL
end holder
finish claim
is "$status" 0 "... and has its turn"
run "$grouplock" release "$(said_value CLAIM)"
is "$status" 0 "... and is released"

# --- limits that change ---------------------------------------------------------
limit() {
    printf '[slots]\nhw9 = %s\n' "$1" | write_config
}
limit 1
hold holder -g hw9
queue_claim b -g hw9
limit 2
ok 'answers b' "a limit that is raised lets a claim in"
is "$status" 0 "... which is true"
does b '"$grouplock" release'
end holder
limit 0
queue_claim b -g hw9
like "$(tail -n 1 b.warned)" '^grouplock: hw9 is closed \(0 slots\)' "a claim waits for a closed group"
limit 1
ok 'answers b' "... until it is opened"
is "$status" 0 "... and is true"
does b '"$grouplock" release'
is "$status" 0 "... and released"

done_testing
