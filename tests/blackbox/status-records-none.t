#!/usr/bin/env bash
# status: what is no record is unknown, whatever it is, and breaks nothing.
. "$(dirname "$0")/status-records.sh"

# unknown NAME: both are known to be locked, and no more.
unknown() {
    shows "$1" "held unknown - - - held by pid ${pids[holder]} \\(flock $place/slot.0 hold holder\\).*" \
        'waiting unknown - - - unknown'
    is "$(jq -c '.locks[0] | .slots[0], .waiters[0] | [.worker, .host, .pid, .since, .age, .command, .count]' \
        <<<"$json" | uniq)" '[null,null,null,null,null,null,null]' "... which has null for what is unknown"
}

written </dev/null
unknown "an empty file"
written < <(head -c 4096 /dev/zero)
unknown "zero bytes"
written < <(head -c 1000000 /dev/urandom)
unknown "a megabyte of anything"
written < <(yes | head -c 1000000)
unknown "a megabyte of y"
written < <(printf '\e[2J\e]0;title\a\n')
unknown "escape sequences"
written < <(record | head -n 8)
unknown "half a record"
written < <(sed '$d' good)
unknown "a record without its end"
written < <(record | tail -n +2)
unknown "a record without its beginning"
written < <(record pid=0)
unknown "a process 0"
written < <(record pid=-1)
unknown "a process -1"
written < <(record pid=99999999999999999999)
unknown "a process of twenty digits"
written < <(echo 'grouplock 2'; tail -n +2 good)
unknown "a record of a later version"
written < <(printf 'grouplock 1\n'; yes 'command x' | head -c 1000000)
unknown "a record that does not end"

done_testing
