#!/usr/bin/env bash
# claim --max: the claim ends when that is over, whatever else lives on; release and status
# say so, and steps of the build queue like anybody's from then on.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
hw2 = 2
[slots link]
* = 1
END
claimed=hw1/default/slot.0

# recorded KEY: a value of the record of the slot.
recorded() {
    sed -n "s/^$1 //p" "locks/$claimed"
}

# over ID: the claim of that id on hw1 is over, soon, its keeper too.
over() {
    soon "grep -qx 'state expired ' locks/$claimed" && all_free hw1 default 0
}

# row: of slot 0 of hw1 in status, without GROUP, LOCK and SLOT.
row() {
    "$grouplock" status -g hw1 -l default | sed 1d | tr -s ' ' | cut -d ' ' -f 4-
}

# --- it ends ---------------------------------------------------------------------------
for shell in "${shells[@]}"; do
    build b "$shell"
    claim_in b -g hw1 --max 1.5
    does b 'echo $GROUPLOCK_CLAIM'
    id=$out
    queue next -g hw1
    ok 'starts next' "$shell: a claim has ended by --max: the next starts"
    does b 'echo alive'
    is "$out" alive "... although the script lives"
    does b '"$grouplock" run -g hw1 -n -- true'
    is "$status" 75 "... a step of which does not pass"
    does b '"$grouplock" release'
    is "$status:$err" "0:grouplock: claim $id had already ended: its slot has since been given to another" \
        "... as release tells, which leaves the other's slot alone"
    is "$(held_slots)" "$claimed" "... held"
    end next
    all_free hw1 default 0 || die "the slot should be free"

    does b 'unset GROUPLOCK_HELD GROUPLOCK_CLAIM'
    claim_in b -g hw1 --max 0.2
    does b 'echo $GROUPLOCK_CLAIM'
    id=$out
    ok over "$shell: a claim that is over, and nobody wanted the slot"
    is "$(row)" "free - - - - claim $id has expired" "... status says so"
    is "$("$grouplock" status -J -g hw1 -l default | jq -c '.locks[0].slots[0] | [.state, .claim, .claim_expired]')" \
        "[\"free\",\"$id\",true]" "... in JSON, too"
    does b '"$grouplock" release'
    is "$status:$out" 0: "... release is no error"
    is "$err" "grouplock: claim $id had already ended: its --max had passed" "... and says what ended it"
    does b '"$grouplock" release $GROUPLOCK_CLAIM'
    is "$status:$err" "0:grouplock: claim $id had already ended: its --max had passed" "... of its id, too"
    does b '"$grouplock" release -q'
    is "$status:$err" 0: "... under -q it does not"

    # A nested call is none any more: it takes the slot itself.
    does b 'echo $GROUPLOCK_HELD; "$grouplock" run -g hw1 -n -- printenv GROUPLOCK_HELD'
    like "$out" '^hw1/default/slot\.0=([0-9a-f]{32})'$'\n''hw1/default/slot\.0=[0-9a-f]{32}$' "... a step takes the slot itself"
    ok '[[ ${out%$'"'\\n'"'*} != "${out#*$'"'\\n'"'}" ]]' "... under another ID"
    tell b exit
    finish b
    is "$err" '' "... the script has nothing to say of all that"
done

run "$grouplock" claim -g hw1 --pid 0 --max 0.3
is "$status:$err" 0: "--pid 0 with --max"
env=$out
ok over "... ends by itself"
run bash -c "$env"'; "$grouplock" release'
is "$status:$err" "0:grouplock: claim $(out=$env said_value CLAIM) had already ended: its --max had passed" "... as release tells"

# Whose --max is over while its keeper is stopped, or while nobody looks, is over all the same.
run "$grouplock" claim -g hw1 --pid 0 --max 0.2
keeper=$(recorded pid)
kill -STOP "$keeper" && soon '[[ $(field "$keeper" State) == T* || ! -e /proc/$keeper ]]'
kill -CONT "$keeper" 2>/dev/null
ok over "a keeper that was stopped and continued ends the claim"

# --- of several slots, and several claims -----------------------------------------------
build b dash
claim_in b -g hw2 -c 2 -l default -l link=1 --max 0.2
ok 'all_free hw2 default 0 1 && all_free hw2 link 0' "a claim of three slots of two locks: all are free when it is over"
does b '"$grouplock" release'
is "$(wc -l <b.warned)" 1 "... and release says so once"
does b 'unset GROUPLOCK_HELD'
claim_in b -g hw1 -l link --max 1h
claim_in b -g hw1 --max 0.2
does b 'echo $GROUPLOCK_CLAIM'
id=$out
ok over "of two claims one is over"
is "$(held_slots)" hw1/link/slot.0 "... the other is not"
does b '"$grouplock" run -g hw1 -l link -n -- echo in'
is "$status:$out" 0:in "... under which a step passes"
does b "$(claiming -g hw1)"
is "$status:$err" 0: "... and the first can be claimed again"
does b '"$grouplock" release'
is "$status:$err:$(held_slots)" 0:: "... and release ends the two that are there"
tell b exit
finish b

# --- it does not end earlier, nor later ----------------------------------------------------
# The time runs from the moment in which the slot is had, as the record has it.
hold holder -g hw1
build b dash
queue_claim b -g hw1 --max 2h
# shellcheck disable=SC2034 # in conditions
asked=$(date +%s%N)
ok 'soon "(( \$(date +%s%N) > asked + 1000000000 ))"' "a claim with --max that waits"
end holder
answers b || die "'b' should have claimed"
is "$(($(recorded until) - $(recorded since)))" 7200000000000 "... has all of its time from when it holds"
ok '(($(recorded since) >= asked + 1000000000))' "... which was after the wait"
like "$(row)" "^held [^ ]+ [^ ]+ [0-9]+ [0-9]+s claim [0-9a-f]{8} \(bound to pid ${pids[b]}, (2h00m|1h59m) left\)" \
    "... as status tells"
end_by b KILL
ok 'all_free hw1 default 0' "... but ends with the script before"
for max in 30:30 30s:30 1.5h:5400 10m:600 4h:14400 1d:86400 2d:172800; do
    run "$grouplock" claim -g hw1 --max "${max%:*}" --pid 0 --json
    is "$status:$(jq .max <<<"$out")" "0:${max#*:}" "--max ${max%:*} is a duration"
    is "$(($(recorded until) - $(recorded since)))" "${max#*:}000000000" "... as the record has it"
    run "$grouplock" release "$(jq -r .id <<<"$out")"
done
run "$grouplock" claim -g hw1 --json
is "$status:$(jq .max <<<"$out"):$(recorded until)" 0:null:0 "without --max there is no end to be told"
run "$grouplock" release "$(jq -r .id <<<"$out")"
for max in x '' ' ' -1 1x 1hh 4w 1,5 0 0s 0.0 '1 h' 1e9 inf; do
    run "$grouplock" claim -g hw1 --max "$max"
    bad_claim "--max '$max'" --max
done
# What is longer than anything lasts as long as anything.
run "$grouplock" claim -g hw1 --max 99999999999999999999d --pid 0
if ((status == 125)); then
    bad_claim "--max of a trillion years" --max
else
    is "$(held_slots)" "$claimed" "--max of a trillion years"
    run "$grouplock" release "$(said_value CLAIM)"
    is "$status" 0 "... and a release before"
fi
is "$(held_slots)" '' "nothing is held"

# A waiter behind a claim that is over does not hear of it; one in front has no part in it.
run "$grouplock" claim -g hw1 --pid 0 --max 1h
id=$(said_value CLAIM)
run "$grouplock" run -q -g hw1 -t 0.2 -- true
is "$status" 75 "--max is not over: the next waits in vain"
run "$grouplock" release "$id"
is "$status:$err:$(held_slots)" 0:: "... until a release"

done_testing
