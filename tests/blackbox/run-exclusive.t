#!/usr/bin/env bash
# Claims 2: exclusive. All slots of the limit, in turn with those that count.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
hw1 = 3
one = 1
[slots link]
hw1 = 2
END

# --- a quiet machine ----------------------------------------------------------
for claim in -x --exclusive '-l default=all' '-x -l default' '-l default -x'; do
    # shellcheck disable=SC2086 # words
    run "$grouplock" run -g hw1 -n $claim -- printenv GROUPLOCK_SLOT
    is "$status:$out" '0:0 1 2' "$claim takes all slots"
done
run "$grouplock" run -g one -n -x -- printenv GROUPLOCK_SLOT
is "$status:$out" '0:0' "-x where there is one slot"
run "$grouplock" run -g hw1 -n -x -l link -- printenv GROUPLOCK_SLOT_LINK
is "$status:$out" '0:0 1' "-x of another lock"

: >trace
hold x -g hw1 -x
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "nothing starts beside an exclusive one"
run "$grouplock" run -g hw1 -n -l link -- true
is "$status" 0 "... but for other locks"
end x
hold a -g hw1
hold b -g hw1
run "$grouplock" run -g hw1 -n -x -- true
is "$status" 75 "an exclusive one does not start beside others"
queue x -g hw1 -x
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "while it waits no newcomer passes, though a slot is free"
queue c -g hw1
end a
ok 'still_waits x c' "it waits for all that runs"
end b
ok 'starts x' "... and then starts"
ok 'still_waits c' "... alone"
end x
end c

# --- mixed queues -------------------------------------------------------------
# c, x, c, x, c: each release starts exactly the next.
: >trace
hold x0 -g hw1 -x
queue c1 -g hw1
queue x2 -g hw1 -x
queue c3 -g hw1
queue x4 -g hw1 -x
queue c5 -g hw1
previous=x0
behind=(c1 x2 c3 x4 c5)
while ((${#behind[@]} > 0)); do
    next=${behind[0]}
    behind=("${behind[@]:1}")
    end "$previous"
    ok "starts $next" "the end of $previous starts $next"
    ((${#behind[@]} == 0)) || ok "still_waits ${behind[*]}" "... and not ${behind[*]}"
    previous=$next
done
end c5
is "$(start_order)" 'x0 c1 x2 c3 x4 c5' "the order of it all"
is "$(most_at_once)" 1 "... one at a time"

# c c x c c: neighbours that count start together.
: >trace
hold x0 -g hw1 -x
queue c1 -g hw1
queue c2 -g hw1
queue x3 -g hw1 -x
queue c4 -g hw1
queue c5 -g hw1
end x0
ok 'starts c1 c2' "two neighbours that count start together"
ok 'still_waits x3 c4 c5' "... the exclusive one and those behind it do not"
end c1
ok 'still_waits x3 c4 c5' "one of the two ends: nothing starts"
end c2
ok 'starts x3' "both have ended: the exclusive one starts"
ok 'still_waits c4 c5' "... alone"
end x3
ok 'starts c4 c5' "its end starts the other two together"
end c4
end c5
is "$(most_at_once '^c')" 2 "never more than two counting ones at once"
is "$(most_at_once '^x')" 1 "... and one exclusive"

# An exclusive waiter that dies is in nobody's way.
hold c1 -g hw1
queue x -g hw1 -x
queue c2 -g hw1
queue c3 -g hw1
end_by x KILL
ok 'starts c2 c3' "an exclusive waiter killed: those behind start at once"
for name in c1 c2 c3; do end $name; done

# All slots are those of the limit there is when it starts.
hold c1 -g hw1
queue x -g hw1 -x
write_config <<<$'[slots]\nhw1 = 4'
end c1
ok 'starts x' "the limit raised while an exclusive one waits"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... it has the new slot as well"
end x

done_testing
