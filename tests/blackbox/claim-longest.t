#!/usr/bin/env bash
# claim --max: however long, it is a time that is still to come.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
spawn target sleep 150
for max in 100000d 99999d 2400000h 86400 300; do
    run "$grouplock" claim -g hw1 --max $max --pid "${pids[target]}"
    is "$status:$err" 0: "claim --max $max"
    ok '(($(sed -n "s/^until //p" $slot) > $(sed -n "s/^since //p" $slot)))' "... its record names an end that is later than its beginning"
    run "$grouplock" status -g hw1
    like "$out" "\(bound to pid ${pids[target]}, [0-9][0-9dhms]* left\)" "... and status shows what is left"
    unlike "$out" ', 0s left' "... which is something"
    run "$grouplock" status -J -g hw1
    is "$status:$(jq -r '.locks[0].slots[0].state' <<<"$out")" 0:held "... in JSON, too"
    run "$grouplock" release "$(sed -n 's/^id //p' $slot)"
    is "$status:$err:$(held_slots)" 0:: "... until it is released"
done
for max in 100001d 99999999999999999999d; do
    run "$grouplock" claim -g hw1 --max $max --pid "${pids[target]}"
    bad_claim "claim --max $max" "'$max'"
done
done_testing
