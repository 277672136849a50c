#!/usr/bin/env bash
# The steps of a build that has claimed: they pass at once for what is claimed, queue for
# another lock, are refused more than is claimed, and queue as anybody when the claim is over.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[workers]
w1 = hw1
w2 = hw1
[slots]
hw1 = 1
hw3 = 3
[slots link]
* = 1
[slots devkit]
hw1 = kit-a kit-b kit-c
END

# closing COMMAND...: without any descriptor above 2, as ssh, doas and Python do.
cat >bin/closing <<'END'
#!/usr/bin/perl
use POSIX ();
POSIX::close($_) for 3 .. 1023;
exec { $ARGV[0] } @ARGV or die "exec: $!";
END
# together NUMBER: 1 and 2 go on when both are there.
cat >bin/together <<'END'
#!/bin/sh
: >together.$1
until [ -e together.1 ] && [ -e together.2 ]; do sleep 0.02; done
echo in >together.$1
END
chmod 755 bin/closing bin/together

# inner NAME WANT COMMAND: status and output of COMMAND in the build.
inner() {
    does b "$3"
    is "$status:$out" "$2" "$1"
}

for shell in "${shells[@]}"; do
    build b "$shell"
    claim_in b -w w1
    hold link -w w2 -l link

    # --- what passes ------------------------------------------------------------------
    inner "$shell: a step of a build passes" 0:in '"$grouplock" run -w w1 -- echo in'
    is "$err" '' "... at once: it has nothing to say"
    queue waiter -w w2
    inner "... past those in the queue" 0:in '"$grouplock" run -w w1 -n -- echo in'
    inner "... asking by the group, for another worker" 0:in '"$grouplock" run -g HW1 -w w2 -n -- echo in'
    inner "... of which it is told" 0:w2/hw1/0/0 \
        '"$grouplock" run -w w2 -n -- sh -c "echo \$GROUPLOCK_WORKER/\$GROUPLOCK_GROUP/\$GROUPLOCK_SLOT/\$GROUPLOCK_SLOT_DEFAULT"'
    inner "... exclusive, where one is all there is" 0:in '"$grouplock" run -w w1 -n -x -- echo in'
    inner "... from a step of a step" 0:in '"$grouplock" run -w w1 -n -- sh -c "\"\$grouplock\" run -w w1 -n -- echo in"'
    inner "... through what closes descriptors" 0:in 'closing sh -c "\"\$grouplock\" run -w w1 -n -- echo in"'
    inner "... from another directory and another session" 0:in '(cd /; setsid -w "$grouplock" run -w w1 -n -- echo in)'
    inner "... in the background" 0:in '"$grouplock" run -w w1 -n -- echo in & wait $!'
    does b 'for i in 1 2; do "$grouplock" run -w w1 -n -- together $i & done; wait; cat together.1 together.2'
    is "$out" $'in\nin' "... two at once"
    rm -f together.?
    inner "... with its own exit status" 7: '"$grouplock" run -w w1 -n -- sh -c "exit 7"'
    is "$(held_slots)" 'hw1/default/slot.0 hw1/link/slot.0' "... the slot is still the claim's when they have ended"
    ok 'still_waits waiter' "... and others wait"

    # --- what does not -----------------------------------------------------------------
    inner "$shell: a step that wants another lock does not pass" 75: '"$grouplock" run -w w1 -n -l link -- echo in'
    inner "... nor one that wants both" 75: '"$grouplock" run -w w1 -n -l link -l default -- echo in'
    tell b '"$grouplock" run -w w1 -l link -- echo in'
    soon 'claim_waits b' || die "the step should have queued"
    ok '[[ ! -e b.answer ]]' "... it queues"
    end link
    ok 'answers b' "... and gets it in its turn"
    is "$status:$out" 0:in "... for itself"
    ok 'all_free hw1 link 0' "... and gives it back"
    inner "... of two locks one passes and the other is acquired" '0:1' \
        '"$grouplock" run -w w1 -n -l link -l default -- sh -c "flock -n \"\$GROUPLOCK_DIR\"/hw1/link/slot.0 true; echo \$?"'
    hold three -g hw3 -x
    inner "... another group does not pass" 75: '"$grouplock" run -g hw3 -n -- echo in'
    end three
    for more in '-c 2' '-l default=2'; do
        does b "timeout 60 \"\$grouplock\" run -w w1 $more -- touch ran"
        lines=$(wc -l <b.warned)
        refused "$shell: a step that wants $more is refused" hw1
        ok '[[ ! -e ran ]]' "... at once, and nothing ran"
    done
    tell b exit
    finish b
    ok 'starts waiter' "the build ends: the waiter has its turn"
    end waiter

    build b "$shell"
    claim_in b -g hw3 -c 2 -l link=1 -l default
    for more in -x '-c 3' '-l default=3' '-l default=all' '-l link -l default=3'; do
        does b "timeout 60 \"\$grouplock\" run -g hw3 $more -- touch ran"
        lines=$(wc -l <b.warned)
        refused "$shell: two of three are claimed, $more is refused" 2 3
    done
    ok '[[ ! -e ran ]]' "... and nothing ran"
    inner "... as many as are claimed pass" '0:0 1' '"$grouplock" run -g hw3 -c 2 -n -- printenv GROUPLOCK_SLOT'
    inner "... fewer, too" 0:0 '"$grouplock" run -g hw3 -n -- printenv GROUPLOCK_SLOT'
    inner "... of both locks" '0:0/0 1' \
        '"$grouplock" run -g hw3 -n -l link -l default=2 -- sh -c "echo \$GROUPLOCK_SLOT_LINK/\$GROUPLOCK_SLOT_DEFAULT"'
    inner "... one slot is left for others" 0:2 'env -u GROUPLOCK_HELD "$grouplock" run -g hw3 -n -- printenv GROUPLOCK_SLOT'
    does b '"$grouplock" release'
    does b 'unset GROUPLOCK_HELD'
    claim_in b -g hw1 -l devkit=2
    inner "... slots with names" '0:kit-a kit-b' '"$grouplock" run -g hw1 -n -l devkit=2 -- printenv GROUPLOCK_SLOT'
    tell b exit
    finish b
done

# --- a GROUPLOCK_HELD that outlived its claim -----------------------------------------------------
# outlived HOW: $held is of a claim that is over.
outlived() {
    GROUPLOCK_HELD=$held run "$grouplock" run -w w1 -n -- sh -c 'echo $GROUPLOCK_HELD; flock -n locks/hw1/default/slot.0 true; echo $?'
    like "$status:$out" '^0:hw1/default/slot\.0=[0-9a-f]{32}'$'\n''1$' "$1: who has its variable takes the slot itself"
    ok '[[ ${out%$'"'\\n'"'*} != "$held" ]]' "... under another ID"
    hold holder -w w2
    GROUPLOCK_HELD=$held run "$grouplock" run -w w1 -n -- true
    is "$status" 75 "... does not pass when another has it"
    mkfifo late.go
    spawn late env GROUPLOCK_HELD="$held" "$grouplock" run -w w1 -- hold late
    soon 'queued late' || die "'late' should have queued"
    queue after -w w2
    end holder
    ok 'starts late && still_waits after' "... queues like anybody"
    end late
    end after
    rm late.go
    all_free hw1 default 0 || die "the slot should be free"
}
# claimed: $held of a new claim in the build b.
claimed() {
    does b 'unset GROUPLOCK_HELD'
    claim_in b -w w1
    does b 'echo "$GROUPLOCK_HELD"'
    held=$out
    GROUPLOCK_HELD=$held run "$grouplock" run -w w1 -n -- echo in
    is "$status:$out" 0:in "who has the variable of a claim passes"
}
build b dash
claimed
does b '"$grouplock" release'
outlived 'a claim that was released'
does b 'unset GROUPLOCK_HELD'
claim_in b -w w1 --max 0.3
does b 'echo "$GROUPLOCK_HELD"'
held=$out
soon 'grep -q "^state expired" locks/hw1/default/slot.0' || die "the claim should be over"
all_free hw1 default 0
outlived 'a claim whose --max is over'
claimed
end_by b KILL
all_free hw1 default 0
outlived 'a claim whose script has ended'
build b dash
claimed
kill -KILL "$(keeper_of b)"
all_free hw1 default 0
outlived 'a claim whose keeper was killed'

# The same build claims again: what it had before is replaced.
does b '"$grouplock" release -q'
claim_in b -w w1
does b 'echo "$GROUPLOCK_HELD"'
like "$out" '^hw1/default/slot\.0=[0-9a-f]{32}$' "a build that claims again has one entry for the slot"
ok '[[ $out != "$held" ]]' "... of the new claim"
inner "... under which steps pass" 0:in '"$grouplock" run -w w1 -n -- echo in'

# What one reads in the directory, or makes up, is no claim.
does b 'echo "$GROUPLOCK_HELD"'
held=$out
does b 'echo "$GROUPLOCK_CLAIM"'
for secret in "$out" "$(sed -n 's/^id //p' locks/hw1/default/slot.0)" "${held#*=}0" "${held%?}" ''; do
    GROUPLOCK_HELD=hw1/default/slot.0=${secret#*=} run "$grouplock" run -q -w w1 -n -- true
    is "$status" 75 "'${secret#*=}' is no secret of a claim"
done
tell b exit
finish b

done_testing
