#!/usr/bin/env bash
# Several claims by one script: more slots of the same lock and other locks, each released
# alone; what would wait for itself for ever is refused, and nothing else is.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
hw3 = 3
hw5 = 5
[slots link]
* = 1
[slots devkit]
hw3 = kit-a kit-b kit-c
END
first=hw3/default/slot.0 second=hw3/default/slot.1 third=hw3/default/slot.2

# value NAME VARIABLE: of the build's; $out is it.
value() {
    does "$1" "echo \"\$$2\""
}

# claim_id NAME OPTION...: it claims, and $out is the claim's id.
claim_id() {
    claim_in "$@"
    value "$1" GROUPLOCK_CLAIM
}

# deadlock NAME TEXT OPTION...: the claim would wait for itself: it is refused at once in one
# line that has TEXT, and what the build holds is as before. No -n or -t helps it to give up.
deadlock() {
    local name=$1 text=$2 before
    shift 2
    before=$(held_slots)
    does b "$(claiming "$@")"
    refused "$name" hw3 "$text"
    is "$(held_slots)" "$before" "... and what is held is as before"
}

for shell in "${shells[@]}"; do
    build b "$shell"
    # --- more slots of the same lock ---------------------------------------------------
    claim_id b -g hw3
    one=$out
    claim_id b -g hw3 -c 2
    two=$out
    is "$(held_slots)" "$first $second $third" "$shell: a second claim of the same lock takes slots on top of the first"
    value b GROUPLOCK_SLOT
    is "$out" '1 2' "... and says which it took"
    value b GROUPLOCK_HELD
    is "$(tr ' ' '\n' <<<"$out" | cut -d= -f1 | paste -sd ' ')" "$first $second $third" "... GROUPLOCK_HELD lists all"
    is "$(tr ' ' '\n' <<<"$out" | cut -d= -f2 | sort -u | wc -l)" 2 "... of two claims"
    does b '"$grouplock" run -g hw3 -n -c 3 -- printenv GROUPLOCK_SLOT'
    is "$status:$out" '0:0 1 2' "... a step passes with the slots of both"
    does b '"$grouplock" run -g hw3 -n -x -- echo in'
    is "$status:$out" 0:in "... exclusive, too"
    deadlock "$shell: a claim of more than there are besides" 1 -g hw3
    like "$err" '1 .*3 .* only 3: ' "... which says what is asked for, what is held, and what there is"
    deadlock "... of several" 2 -g hw3 -c 2
    deadlock "... of all" 3 -g hw3 -x
    does b '"$grouplock" run -g hw3 -n -c 3 -- echo in'
    is "$status:$out" 0:in "... the build goes on with what it has"
    does b "\"\$grouplock\" release $two"
    is "$status:$err:$(held_slots)" "0::$first" "the second is released alone"
    does b '"$grouplock" run -g hw3 -n -- printenv GROUPLOCK_SLOT'
    is "$status:$out" 0:0 "... a step passes for what the first holds"
    does b 'timeout 60 "$grouplock" run -g hw3 -c 2 -- true'
    is "$status" 125 "... and is refused more"
    claim_id b -g hw3 -c 2
    two=$out
    is "$(held_slots)" "$first $second $third" "... and it can claim again"
    does b "\"\$grouplock\" release $one"
    is "$status:$err:$(held_slots)" "0::$second $third" "the first is released alone"
    does b '"$grouplock" run -g hw3 -n -c 2 -- printenv GROUPLOCK_SLOT'
    is "$status:$out" '0:1 2' "... a step passes for what the second holds"
    claim_in b -g hw3
    does b '"$grouplock" release'
    is "$status:$err:$(held_slots)" 0:: "release without an id ends them all"
    does b 'unset GROUPLOCK_HELD'

    # --- other locks, other groups -------------------------------------------------------
    claim_id b -g hw3
    one=$out
    claim_id b -g hw3 -l link
    link=$out
    claim_id b -g hw3 -l devkit=2
    kits=$out
    claim_in b -g hw1
    is "$(held_slots)" "hw1/default/slot.0 $first hw3/devkit/slot.kit-a hw3/devkit/slot.kit-b hw3/link/slot.0" \
        "$shell: claims of other locks and another group"
    does b 'echo $GROUPLOCK_SLOT_DEFAULT/$GROUPLOCK_SLOT_LINK/$GROUPLOCK_SLOT_DEVKIT'
    is "$out" '0/0/kit-a kit-b' "... each lock has its variable"
    does b '"$grouplock" run -g hw3 -n -l link -l devkit=2 -l default -- echo in && "$grouplock" run -g hw1 -n -- echo in'
    is "$status:$out" $'0:in\nin' "... steps pass for all"
    deadlock "... a second slot of a lock with one" link -g hw3 -l link
    deadlock "... a third and fourth of one with three" devkit -g hw3 -l devkit=2
    deadlock "... beside a lock that could be had" link -g hw3 -l link -l devkit=1
    does b "\"\$grouplock\" release $link"
    is "$status:$(held_slots)" "0:hw1/default/slot.0 $first hw3/devkit/slot.kit-a hw3/devkit/slot.kit-b" "... one lock is released alone"
    does b "\"\$grouplock\" release $kits $one"
    is "$status:$(held_slots)" "0:hw1/default/slot.0" "... or two"
    does b '"$grouplock" release'
    is "$status:$err:$(held_slots)" 0:: "... the rest without an id"
    does b 'unset GROUPLOCK_HELD'

    # --- the first waits for nobody, the second waits like anybody ---------------------------
    claim_in b -g hw3 -c 2
    hold other -g hw3
    queue_claim b -g hw3
    ok '[[ ! -e b.answer ]]' "$shell: a second claim waits if another has the slot"
    queue after -g hw3
    end other
    ok 'answers b' "... and has it in its turn"
    is "$status:$(held_slots)" "0:$first $second $third" "... on top of what it held"
    ok 'still_waits after' "... before those who came later"
    tell b exit
    finish b
    ok 'starts after' "... who have it when the script ends"
    end after

    # --- whoever is in the queue for what we hold ---------------------------------------------------
    # The waiter needs two of three; one is another's, two are the build's.
    build b "$shell"
    claim_in b -g hw3 -c 2
    hold other -g hw3
    queue needs -g hw3 -c 2
    deadlock "$shell: a waiter before us needs what we hold, and we would wait for it" queue -g hw3
    does b "$(claiming -g hw3 -n)"
    is "$status" 75 "... with -n it is busy"
    ok 'still_waits needs' "... and the waiter waits on"
    does b '"$grouplock" run -g hw3 -n -c 2 -- echo in'
    is "$status:$out" 0:in "... while steps pass"
    does b '"$grouplock" release'
    ok 'starts needs' "... until we release"
    end needs
    end other
    # One who needs no more than others leave will go on without us.
    does b 'unset GROUPLOCK_HELD'
    claim_in b -g hw3 -c 1
    hold other -g hw3 -c 2
    queue needs -g hw3 -c 2
    queue_claim b -g hw3
    ok 'still_waits needs && [[ ! -e b.answer ]]' "$shell: a waiter before us that does not need what we hold is waited for"
    end other
    ok 'starts needs && [[ ! -e b.answer ]]' "... it has its turn"
    end needs
    ok 'answers b' "... and then we"
    is "$status:$(held_slots | wc -w)" 0:2 "... who hold two"
    does b '"$grouplock" release'
    # Of two waiters, the second is the one.
    does b 'unset GROUPLOCK_HELD'
    claim_in b -g hw5 -c 2
    hold other -g hw5 -c 3
    queue small -g hw5
    queue large -g hw5 -x
    before=$(held_slots)
    does b "$(claiming -g hw5)"
    refused "$shell: any waiter in the queue can be the one" queue hw5
    is "$(held_slots)" "$before" "... and what is held is as before"
    end other
    ok 'starts small' "... the queue goes on"
    end small
    tell b exit
    finish b
    ok 'starts large' "... to its end"
    end large
done

# --- what is held no more is not in the way ----------------------------------------------------
build b dash
claim_in b -g hw1 --max 0.2
all_free hw1 default 0
claim_in b -g hw1
is "$(held_slots)" hw1/default/slot.0 "a claim that is over does not forbid the next"
does b '"$grouplock" release'
claim_in b -g hw1
is "$(held_slots)" hw1/default/slot.0 "... nor one that was released"
kill -KILL "$(keeper_of b)"
all_free hw1 default 0
claim_in b -g hw1
is "$(held_slots)" hw1/default/slot.0 "... nor one whose keeper was killed"
does b '"$grouplock" release'
is "$status:$(held_slots)" 0: "... and it is released"

# Within a command of run a claim is on top of what that holds.
run timeout 60 "$grouplock" run -g hw1 -- dash -c "$(claiming -g hw1)"
is "$status" 125 "within a command that holds all there are a claim is refused"
like "$err" '^grouplock: .*hw1' "... which says so"
run "$grouplock" run -g hw3 -- dash -c "$(claiming -g hw3)"'; echo $GROUPLOCK_SLOT; "$grouplock" run -g hw3 -n -c 2 -- echo in'
is "$status:$out" $'0:1\nin' "where there is room it takes another, and steps pass with both"
is "$(held_slots)" '' "... to the command's end"

# Two scripts that are not the same do not count as one.
build c dash
claim_in b -g hw3 -c 2
queue_claim c -g hw3 -c 2
ok '[[ ! -e c.answer ]]' "another script's claim waits, and is not refused"
does b '"$grouplock" release'
ok 'answers c' "... and has its turn"
is "$status" 0 "... well"

done_testing
