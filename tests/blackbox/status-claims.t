#!/usr/bin/env bash
# status: claims show with their id, what they are bound to, and the time they have left.
. "$(dirname "$0")/claim.sh"

write_config <<<$'[workers]\nmsvc10 = hw1\n[slots]\n* = 1\nhw1 = 2\n[slots link]\n* = 1'

# row GROUP [LOCK]: its first row without GROUP, LOCK and SLOT.
row() {
    run "$grouplock" status -g "$1" -l "${2:-default}"
    row=$(sed -n 2p <<<"$out" | tr -s ' ' | cut -d ' ' -f 4-)
}

# slot GROUP FILTER: of its first slot in JSON.
slot() {
    "$grouplock" status -J -g "$1" -l default | jq -c ".locks[0].slots[0] | $2"
}

build b
claim_in b -w msvc10
does b 'echo $GROUPLOCK_CLAIM'
id=$out
keeper=$(keepers)
row hw1
like "$row" "^held msvc10 [^ ]+ $keeper [0-9dhms]+ claim $id \\(bound to pid ${pids[b]}\\) of .*build b\$" \
    "a claim: its id, and the process that it is bound to"
is "$(slot hw1 '[.state, .kind, .claim, .claim_expired, .pid, .bound_pid, .until, .left]')" \
    "[\"held\",\"claim\",\"$id\",false,$keeper,${pids[b]},null,null]" "... in JSON"
queue w -w msvc10 -c 2
is "$("$grouplock" status -J -g hw1 -l default | jq -c '.locks[0] | [.held, .waiting]')" '[2,1]' "... others wait for it"
does b '"$grouplock" run -w msvc10 -n -- "$grouplock" status -g hw1 -l default'
like "$(tr -s ' ' <<<"$out")" "0 held msvc10 [^ ]+ $keeper [0-9dhms]+ claim $id" "a step inside of it changes nothing"
does b '"$grouplock" release'
starts w || die "'w' should have started"
row hw1
unlike "$row" claim "released it does not show"
end w
soon 'slot_free hw1 default 0' || die "slot 0 should be free"

claim_in b -g hw2 --max 90m
does b 'echo $GROUPLOCK_CLAIM'
id=$out
row hw2
like "$row" "^held [^ ]+ [^ ]+ [0-9]+ [0-9dhms]+ claim $id \\(bound to pid ${pids[b]}, 1h(30|29)m left\\) of .*build b\$" \
    "a claim that does not last for ever: the time it has left"
is "$(slot hw2 '[.left > 5000, .left <= 5400, .until > .since]')" '[true,true,true]' "... in JSON"
end_by b KILL
soon 'slot_free hw2 default 0' || die "the slot should be free"
row hw2
is "$row" 'free - - - - -' "the process has ended: nothing is left of it"

run "$grouplock" claim --json -g hw3 --pid 0 --max 1h
id=$(jq -r .id <<<"$out")
keeper=$(keepers)
row hw3
like "$row" "^held [^ ]+ [^ ]+ $keeper [0-9dhms]+ claim $id \\(bound to no process, (1h00m|59m[0-9]{2}s) left\\)\$" "a claim that is bound to no process"
is "$(slot hw3 '[.bound_pid, .claim]')" "[null,\"$id\"]" "... in JSON"
run "$grouplock" release "$id"
is "$status" 0 "the id that status shows is the one that release takes"
row hw3
is "$row" 'free - - - - -' "... and that was the end of it"

run "$grouplock" claim --json -g hw4 --pid 0 --max 0.1
id=$(jq -r .id <<<"$out")
soon 'slot_free hw4 default 0' || die "--max should have ended the claim"
row hw4
is "$row" "free - - - - claim $id has expired" "a claim that --max has ended: the free slot says so"
is "$(slot hw4 '[.state, .claim, .claim_expired, .pid, .left]')" "[\"free\",\"$id\",true,null,0]" "... in JSON"
run "$grouplock" run -g hw4 -- true
soon 'slot_free hw4 default 0' || die "the slot should be free"
row hw4
is "$row" 'free - - - - -' "... until somebody else has had it"

run "$grouplock" claim -g hw5 --pid 0 --max 1h
kill -KILL "$(keepers)"
soon 'slot_free hw5 default 0' || die "the slot should be free"
row hw5
is "$row" 'free - - - - -' "a claim whose keeper was killed is over, and no leak"

done_testing
