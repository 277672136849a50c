#!/usr/bin/env bash
# A claim that cannot be printed is none: claim fails, says so, and nothing is held.
. "$(dirname "$0")/claim.sh"

write_config <<<$'[slots]\n* = 1'

for option in '' --json; do
    for where in /dev/full closed; do
        if [[ $where == closed ]]; then redirection='>&-'; else redirection=">$where"; fi
        run sh -c "\"\$grouplock\" claim -g hw1 $option $redirection; echo status \$?"
        is "$out" "status 125" "claim $option $redirection fails"
        like "$err" '^grouplock: [^'$'\n'']+$' "... and says so in one line"
        ok 'all_free hw1 default 0' "... and nothing is held"
    done
    mkfifo broken
    run bash -c 'exec 5<>broken 6>broken; exec 5>&-; trap "" PIPE; "$grouplock" claim -g hw1 '"$option"' >&6; echo status $?'
    is "$out" 'status 125' "claim $option into a pipe that nobody reads, SIGPIPE ignored: fails"
    ok 'all_free hw1 default 0' "... and nothing is held"
    run bash -c 'exec 5<>broken 6>broken; exec 5>&-; "$grouplock" claim -g hw1 '"$option"' >&6; echo status $?'
    like "$out" '^status (141|125)$' "... and is killed by SIGPIPE, or fails"
    ok 'all_free hw1 default 0' "... and again nothing is held"
    rm broken
done
run sh -c "$(claiming -g hw1)"' >/dev/full; "$grouplock" run -g hw1 -n -- true; echo $?'
is "$out" 0 "what eval prints elsewhere is none of claim's business"

done_testing
