#!/usr/bin/env bash
# What Buildbot's own tests of its locks expect, in words, and a group's limits.
. "$(dirname "$0")/lib.sh"

# limit COUNT: of hw1.
limit() {
    write_config <<<$'[slots]\nhw1 = '"$1"
}

# (a) two slots, two held, three waiting, both released
limit 2
hold h1 -g hw1
hold h2 -g hw1
for name in w1 w2 w3; do queue $name -g hw1; done
end h1
end h2
ok 'starts w1 w2' "(a) both released: the first two waiters run"
ok 'still_waits w3' "(a) ... the third does not"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "(a) ... nor does a newcomer"
for name in w1 w2 w3; do end $name; done

# (b) the same, and the limit raised to 4 meanwhile
hold h1 -g hw1
hold h2 -g hw1
for name in w1 w2 w3; do queue $name -g hw1; done
limit 4
end h1
end h2
ok 'starts w1 w2 w3' "(b) both released and the limit raised: all three waiters run"
run "$grouplock" run -g hw1 -n -- echo ran
is "$status:$out" 0:ran "(b) ... and a newcomer too"
for name in w1 w2 w3; do end $name; done

# (c) two waiters, the first gives up
limit 1
for how in timeout TERM; do
    hold h1 -g hw1
    if [[ $how == timeout ]]; then
        queue w1 -g hw1 -t 1
    else
        queue w1 -g hw1
    fi
    queue w2 -g hw1
    if [[ $how == timeout ]]; then finish w1; else end_by w1 TERM; fi
    ok 'soon "asleep w2 locks/hw1/default/slot.0"' "(c) the first gives up ($how): the second is first"
    end h1
    ok 'starts w2' "(c) ... and is woken by the release"
    end w2
done

# (d) five slots held exclusively, five single waiters
limit 5
hold x -g hw1 -x
for name in w1 w2 w3 w4 w5; do queue $name -g hw1; done
end x
ok 'starts w1 w2 w3 w4 w5' "(d) an exclusive one ends: five single waiters run together"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "(d) ... and a sixth does not"
for name in w1 w2 w3 w4 w5; do end $name; done

# (e) what fits, what does not, and what never will
for case in '2 1' '3 2' '10 5' '100 1'; do
    read -r asked limit <<<"$case"
    limit "$limit"
    run timeout 60 "$grouplock" run -q -g hw1 -c "$asked" -- true
    refused "(e) $asked of $limit slots" "$asked" "$limit"
done
for case in '1 2 3' '1 3 4' '2 3 5'; do
    read -r first second limit <<<"$case"
    limit "$limit"
    hold a -q -g hw1 -c "$first"
    start b -q -g hw1 -c "$second"
    ok 'starts b' "(e) $first held, $second asked for, $limit slots: both run"
    end a
    end b
done
for case in '1 2 2' '2 3 4' '2 4 5'; do
    read -r first second limit <<<"$case"
    limit "$limit"
    hold a -q -g hw1 -c "$first"
    queue b -q -g hw1 -c "$second"
    ok 'still_waits b' "(e) $first held, $second asked for, $limit slots: the second waits"
    end a
    ok 'starts b' "(e) ... for the first"
    end b
done

# (f) a worker that no group lists
config() {
    printf '[workers]\nlisted = hw1\n%s\n[slots]\n* = %s\nhw1 = 1\n' "$1" "$2" | write_config
}
config '' 2
run "$grouplock" run -w stray -- printenv GROUPLOCK_GROUP
is "$out" stray "(f) a worker that no group lists is a group of its own"
hold h1 -w stray
hold h2 -w stray
run "$grouplock" run -w stray -n -- true
is "$status" 75 "(f) ... with the default limit"
run "$grouplock" run -w other -n -- true
is "$status" 0 "(f) ... which it shares with nobody"
queue w1 -w stray
queue w2 -w stray
config '' 3
ok 'starts w1' "(f) the default limit raised: it follows"
ok 'still_waits w2' "(f) ... exactly"
for name in h1 h2 w1 w2; do end $name; done
config 'stray = hw1' 3
run "$grouplock" run -w stray -- printenv GROUPLOCK_GROUP
is "$out" hw1 "(f) listed from now on, it belongs to that group"
hold h1 -w listed
run "$grouplock" run -w stray -n -- true
is "$status" 75 "(f) ... and to its limit"
end h1

done_testing
