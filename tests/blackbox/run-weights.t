#!/usr/bin/env bash
# Claims 1: weights. Who wants several slots gets them, and nobody passes meanwhile.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
hw1 = 4
[slots link]
hw1 = 3
END

# --- so many slots ------------------------------------------------------------
hold three -g hw1 -c 3
is "$(environ three GROUPLOCK_SLOT)" '0 1 2' "-c 3 is told three slots"
is "$(environ three GROUPLOCK_SLOT_DEFAULT)" '0 1 2' "... for the lock as well"
for slot in 0 1 2; do
    ok "! slot_free hw1 default $slot" "... and holds slot $slot"
done
ok 'slot_free hw1 default 3' "... but not the fourth"
run "$grouplock" run -g hw1 -n -c 2 -- true
is "$status" 75 "two more are not there"
run "$grouplock" run -g hw1 -n -c 1 -- printenv GROUPLOCK_SLOT
is "$status:$out" 0:3 "one more is"
end three
ok 'all_free hw1 default 0 1 2' "the end of the command frees all of them"
for claim in '-c4' '--count=4' '--count 4' '-l default=4' '-ldefault=4' '--lock=default=4' '-c 4 -l default' '-l default -c 4'; do
    # shellcheck disable=SC2086 # words
    run "$grouplock" run -g hw1 -n $claim -- printenv GROUPLOCK_SLOT
    is "$status:$out" '0:0 1 2 3' "$claim takes all four"
done
run "$grouplock" run -g hw1 -c 2 -l link -- printenv GROUPLOCK_SLOT_LINK
is "$out" '0 1' "-c is for a lock without a count of its own"
run "$grouplock" run -g hw1 -c 2 -l link=3 -- printenv GROUPLOCK_SLOT_LINK
is "$out" '0 1 2' "... and not for one with"

# --- nobody passes ------------------------------------------------------------
# Buildbot lets this newcomer through: 4 slots, 2 held, a request for 3 waits.
: >trace
hold a -g hw1
hold b -g hw1
queue big -g hw1 -c 3
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "two of four held, three wanted: a newcomer's -n finds none free"
queue small -g hw1 --heartbeat 0.1
ok 'lives_on small 5 && still_waits big small' "... and one that waits does not pass, though two are free"
end b
ok 'starts big' "the third slot comes free: the big one starts"
ok 'still_waits small' "... and the small one behind it does not fit"
end a
ok 'starts small' "it starts when it does"
is "$(environ big GROUPLOCK_SLOT | wc -w)" 3 "the big one has three"
end big
end small
is "$(start_order)" 'a b big small' "the order of it all"

# The slots are gathered in whatever order they come.
for order in 'a b c d' 'd c b a' 'c a d b'; do
    for name in a b c d; do hold $name -g hw1; done
    queue big -g hw1 -c 4
    queue small -g hw1
    for name in $order; do
        ok 'still_waits big small' "released in the order $order: before $name"
        end "$name"
    done
    ok 'starts big' "... after the last the big one has all"
    is "$(environ big GROUPLOCK_SLOT)" '0 1 2 3' "... all four"
    ok 'still_waits small' "... and the small one waits"
    end big
    end small
done

# --- what is gathered is given back -------------------------------------------
for how in TERM KILL; do
    for name in a b c; do hold $name -g hw1; done
    queue big -g hw1 -c 4
    queue small -g hw1
    queue small2 -g hw1
    end c
    ok 'still_waits big small small2' "two of four gathered"
    end_by big $how
    ok 'starts small small2' "killed by SIG$how: those behind get what it had"
    for name in a b small small2; do end $name; done
done
for name in a b c; do hold $name -g hw1; done
spawn big "$grouplock" run -g hw1 -c 4 -t 6 -- true
soon 'queued big' || die "'big' should have queued"
queue small -g hw1
finish big
is "$status" 75 "-t: who cannot gather enough in time gives up"
ok 'starts small' "... and those behind get what it had"
for name in a b c small; do end $name; done
ok 'all_free hw1 default 0 1 2 3' "all is free in the end"

# --- many of all weights ------------------------------------------------------
cat >bin/job <<'END'
#!/bin/sh
# A line for each slot: their number at once is what counts.
ids=
for slot in $GROUPLOCK_SLOT; do ids="$ids $1.$slot"; done
printf 'start %s\n' $ids >>trace
sleep 0.01
printf 'end %s\n' $ids >>trace
END
chmod 755 bin/job
: >trace
hold holder -g hw1 -x
wanted=0
for i in {1..24}; do
    weight=$((i * 7 % 4 + 1))
    ((wanted += weight))
    spawn "job$i" "$grouplock" run -q -g hw1 -c $weight -- job "$i"
    soon "queued job$i" || die "'job$i' should have queued"
done
end holder
failed=0
for i in {1..24}; do
    finish "job$i"
    ((status == 0)) || ((++failed))
done
is "$failed" 0 "24 waiters of weights 1 to 4 have all run"
is "$(start_order '^[0-9]' | wc -w)" "$wanted" "... with as many slots as they asked for"
is "$(most_at_once '^[0-9]')" 4 "... never more than four at once"
for slot in 0 1 2 3; do
    is "$(most_at_once "^[0-9]+\\.$slot\$")" 1 "... and slot $slot was never given twice"
done

done_testing
