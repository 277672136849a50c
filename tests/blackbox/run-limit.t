#!/usr/bin/env bash
# run: thirty commands started at once never exceed the limit, and use it.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
one  = 1
two  = 2
five = 5
END

# job ID COUNT: does not end before so many have started. Where they may not run at
# once it gives up, and the trace tells.
cat >bin/job <<'END'
#!/bin/sh
echo "start $1" >>trace
tries=2000
until [ "$(grep -c '^start [0-9]' trace)" -ge "$2" ] || [ $((tries -= 1)) = 0 ]; do sleep 0.01; done
echo "end $1" >>trace
END
chmod 755 bin/job

for limit in one:1 two:2 five:5; do
    group=${limit%:*}
    : >trace
    hold holder -g "$group" -x
    for i in {1..30}; do
        spawn "job$i" "$grouplock" run -q -g "$group" -w "w$i" -- job "$i" "${limit#*:}"
    done
    end holder
    bad=0
    for i in {1..30}; do
        finish "job$i"
        ((status == 0)) || { ((++bad)); diag "job $i: status $status, $err"; }
    done
    is "$bad" 0 "limit ${limit#*:}: all thirty succeeded"
    is "$(start_order '^[0-9]+$' | wc -w)" 30 "... and ran, once each"
    is "$(most_at_once '^[0-9]+$')" "${limit#*:}" "... ${limit#*:} at once, and never more"
done

# Thirty newcomers at once that do not wait: as many get in as there are slots.
: >trace
for i in {1..30}; do start "new$i" -q -n -g two; done
in=()
refused=0
for i in {1..30}; do
    soon "held new$i || ! kill -0 ${pids[new$i]} 2>/dev/null"
    if held "new$i"; then
        in+=("new$i")
    else
        finish "new$i"
        ((status != 75)) || ((++refused))
    fi
done
is "${#in[@]}" 2 "thirty newcomers under -n: two got the two slots"
is "$refused" 28 "... and the others were refused"
for name in "${in[@]}"; do end "$name"; done
is "$(most_at_once)" 2 "... which the trace confirms"

done_testing
