#!/usr/bin/env bash
# A command line that cannot be read fails an eval of its output if it is a claim's, and prints nothing
# to stdout if it is not.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END
claims() { like "$status:$out" '^125:\(exit 125\)$' "$1: the shell is told"; }
# shellcheck disable=SC2154 # lib.sh's
plain() { is "$status:$out" 125: "$1: nothing on stdout"; }
for bad in --bad -Z; do
    run "$grouplock" $bad run -- echo claim
    plain "$bad run -- echo claim"
    run "$grouplock" $bad run -w claim -- true
    plain "$bad run -w claim"
    run "$grouplock" $bad status -g claim
    plain "$bad status -g claim"
    run "$grouplock" $bad -d claim run -- true
    plain "$bad -d claim run"
    run "$grouplock" $bad claim -g hw1
    claims "$bad claim"
    run "$grouplock" -d "$dir/locks" $bad claim -g run
    claims "-d DIR $bad claim -g run"
    run "$grouplock" $bad -d run claim
    claims "$bad -d run claim"
    run "$grouplock" $bad -- claim
    claims "$bad -- claim"
    run "$grouplock" $bad value claim -g hw1
    claims "$bad value claim"
done
run "$grouplock" run --bad -- echo claim
plain "run --bad -- echo claim"
run "$grouplock" claim --bad
claims "claim --bad"
done_testing
