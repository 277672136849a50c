#!/usr/bin/env bash
# claim takes the options of run: the same messages on stderr and the same exit statuses
# when it gives up or cannot do what it is asked.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[workers]
w1 = hw1
w2 = hw1
[slots]
* = 1
hw0 = 0
hw3 = 3
[slots link]
* = 1
[slots my-lock]
* = 1
[slots my_lock]
* = 1
END

# plain: stdin without what differs from one call to the next.
plain() {
    sed -E "s/after [0-9a-z]+/after T/; s/, [0-9a-z]+\)/, T)/; s/grouplock (run|claim) --help/HELP/"
}

# same_as_run NAME OPTION...: claim and run say the same and have the same status,
# which $status is then; claim prints nothing but that.
same_as_run() {
    local name=$1 expected printed='' before
    shift
    before=$(held_slots)
    run "$grouplock" run "$@" -- touch ran
    expected=$status$'\n'$(plain <run.err)
    run "$grouplock" claim "$@"
    is "$status"$'\n'"$(plain <run.err)" "$expected" "$name: the same as run"
    ((status == 0)) || printed="(exit $status)"
    is "$out" "$printed" "... and on stdout '$printed'"
    ok '[[ ! -e ran ]]' "... and the command of run did not run"
    is "$(held_slots)" "$before" "... and nothing more is held"
}

# --- giving up ----------------------------------------------------------------
hold holder -w w1
for options in -n --nonblock '-t 0' '-t 0.2 --heartbeat 0' '--timeout=0.2 --heartbeat=0' '-n -q' '-t 0.1 -q'; do
    # shellcheck disable=SC2086 # words
    same_as_run "$options" -w w2 $options
    is "$status" 75 "... status 75"
done
for options in '-n -E 9' '-t 0.1 --heartbeat 0 --conflict-exit-code=9' '-q -n -E9'; do
    # shellcheck disable=SC2086
    same_as_run "$options" -w w2 $options
    is "$status" 9 "... status 9"
done
same_as_run '-n -E 0' -w w2 -n -E 0
is "$status:$err" 0: "... without a word"
same_as_run '-n -v' -w w2 -n -v
like "$err" "worker 'w2' .* group 'hw1'" "... which tells worker and group"
same_as_run 'a closed group' -g hw0 -t 0.1 --heartbeat 0
same_as_run 'a slot of another lock' -w w2 -n -l link -l default
run "$grouplock" run -w w1 -n -l link -- true
is "$status" 0 "... is given back"
end holder

# --- errors -------------------------------------------------------------------
for options in '-n -t 3' '-x -c 2' '-c 0' '-c x' '-c 1025' '-t x' '-t -1' '-E 256' '-E x' '--heartbeat x' '-l nothing' \
    '-l link -l link' '-l my-lock -l my_lock' '-l link=0' '-l link=2' '-c 2' '--no-such-option' '-y' \
    '-f /nowhere' '-d /nowhere' '-f groups.ini/x' '-w a/b' '-g .'; do
    # shellcheck disable=SC2086
    same_as_run "$options" -w w1 $options
    is "$status:$lines" 125:1 "... status 125, one line"
done
for option in -w -g -l -c -t -E --heartbeat --pid --max; do
    run "$grouplock" claim -w w1 $option
    bad_claim "$option without its argument" "$option"
done
run "$grouplock" claim -w w1 make
bad_claim "an operand" make
run "$grouplock" claim -w w1 -k
bad_claim "-k, which is run's own" -k
for variable in GROUPLOCK_WORKER GROUPLOCK_CONFIG GROUPLOCK_DIR; do
    run env "$variable=" "$grouplock" claim
    bad_claim "an empty $variable" "$variable"
done
printf '[slots]\nhw1 = 4x\n' >bad.ini
run "$grouplock" claim -g hw1 -f bad.ini
bad_claim "a bad config" bad.ini

done_testing
