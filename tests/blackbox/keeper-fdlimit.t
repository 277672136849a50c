#!/usr/bin/env bash
# With few descriptors allowed, a run works in full or fails with a reason.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
hw3 = 3
hw40 = 40
END

# show_limits: what a command finds.
show_limits='echo "$(ulimit -Sn) $(ulimit -Hn)"'
hard=$(ulimit -Hn)
ok '[[ $hard == unlimited ]] || ((hard >= 256))' "the limit on open files allows the tests"
run bash -c "ulimit -Sn 64; exec \"\$grouplock\" run -q -g hw1 -- sh -c '$show_limits'"
is "$status:$out:$err" "0:64 $hard:" "a soft limit of 64: the run works, and the command has the same limit"
for n in 64 100; do
    holder a bash -c "ulimit -Sn $n; exec \"\$grouplock\" run -g hw1 -- close-all a"
    is "$(awk '/open files/ { print $4 }' "/proc/${pids[a]}/limits")" "$n" \
        "a soft limit of $n: the command runs with it"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "... the keeper holds the slot"
    end a
    ok 'all_free hw1 default 0' "... until it ends"
done
for n in 4 8; do
    run bash -c "ulimit -Sn $n; exec \"\$grouplock\" run -q -g hw1 -- echo ran"
    is "$status:$out:$err" 0:ran: "a soft limit of $n: works too"
done
hold holder -g hw1
run bash -c 'ulimit -n 100; exec "$grouplock" run -q -g hw1 -t 60 -- touch ran'
refused "a hard limit of 100: refused before the wait" 'open files' 'ulimit'
run bash -c 'ulimit -n 100; exec "$grouplock" run -g hw1 -c 40 -- touch ran'
refused "... after what can never be had" '40 slots' 'only 1'
run "$grouplock" run -q -g hw3 -- bash -c 'ulimit -n 100; "$grouplock" run -g hw3 -n -- echo nested'
is "$status:$out:$err" 0:nested: "... but a nested call needs no descriptor"
spawn waiter bash -c "ulimit -Sn 64; exec \"\$grouplock\" run -g hw1 -- sh -c '$show_limits'"
soon 'queued waiter' || die "'waiter' should have queued"
end holder
finish waiter
is "$status:$out" "0:64 $hard" "... and after a wait the same"

run bash -c 'ulimit -n 64; exec "$grouplock" run -g hw1 -- touch ran'
refused "a hard limit of 64: a clear error" 'open files' 'ulimit'
ok '[[ ! -e ran ]]' "... and the command does not run"
run bash -c 'ulimit -n 64; exec "$grouplock" run -g hw40 -c 40 -- touch ran'
refused "... for forty slots too" 'open files' 'ulimit'
run bash -c 'ulimit -n 20; exec "$grouplock" run -g hw40 -c 40 -- touch ran'
refused "... and if not even they can be opened"
ok '[[ ! -e ran ]]' "... and the command does not run"

# Whatever the limit is, a run works in full or is refused.
cat >bin/holds <<'END'
#!/bin/sh
# holds COUNT: complains unless it has that many slots open and a keeper.
slots=$(find "/proc/$$/fd" -name '[1-9][0-9][0-9]*' -lname '*/slot.*' | wc -l)
[ "$slots" = "$1" ] || echo "$slots slots"
grep -qsx "Pid:[[:space:]]*$$" $(grep -lsx grouplock-keepe /proc/[0-9]*/comm | sed 's:comm$:fdinfo/*:') || echo 'no keeper'
echo ran
END
chmod 755 bin/holds
limits=({99..105} 110)
if linked_statically; then limits+=({0..6} 8 12 20); fi  # the dynamic loader needs some for itself
worked=0 refused=0
for n in "${limits[@]}"; do
    for count in 1 3; do
        run bash -c "ulimit -n $n; exec \"\$grouplock\" run -q -g hw3 -c $count -- holds $count"
        if [[ $status:$out:$err == 0:ran: ]]; then
            ((++worked))
        elif [[ $status == 125 && -z $out && $err == 'grouplock: '* && $(wc -l <run.err) == 1 ]]; then
            ((++refused))
        else
            is "$status:$out:$err" '0:ran: or 125' "at most $n open files, $count slots"
        fi
    done
done
ok '((worked >= 8 && refused >= 5 && worked + refused == 2 * ${#limits[@]}))' \
    "so many open files: works ($worked) or is refused in one line ($refused)"
run "$grouplock" run -g hw3 -x -t "$patience" -- true
is "$status" 0 "... and all slots are free"
run "$grouplock" run -g hw40 -x -n -- true
is "$status" 0 "... these too"
ok 'soon no_keepers' "no keeper is left"

done_testing
