#!/usr/bin/env bash
# Claims 5: nested calls. What a job holds already its inner calls pass through;
# nobody else does.
. "$(dirname "$0")/lib.sh"

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
# elevated COMMAND...: sudo -E where there is one that asks nothing; what it does,
# which is to close descriptors and to go through another program, where not.
cat >bin/elevated <<'END'
#!/bin/sh
if sudo -n -E true 2>/dev/null; then exec sudo -n -E "$@"; fi
exec closing env "$@"
END
chmod 755 bin/closing bin/elevated

# inner NAME WANT COMMAND: what a job of hw1 that runs COMMAND prints, and its status.
inner() {
    run timeout 60 "$grouplock" run -w w1 -- bash -c "$3"
    is "$status:$out" "$2" "$1"
}

# --- passing through ----------------------------------------------------------
inner "an inner call passes through" '0:in' \
    '"$grouplock" run -w w1 -- echo in'
is "$err" '' "... without a word"
inner "... also under -n" '0:in' \
    '"$grouplock" run -w w1 -n -- echo in'
inner "... also for another worker of the group" '0:w2 in hw1' \
    '"$grouplock" run -w w2 -n -- sh -c "echo \$GROUPLOCK_WORKER in \$GROUPLOCK_GROUP"'
inner "... also with -x, where there is one slot" '0:in' \
    '"$grouplock" run -w w1 -n -x -- echo in'
inner "... and is told the slot" '0:0 0' \
    '"$grouplock" run -w w1 -n -- sh -c "echo \$GROUPLOCK_SLOT \$GROUPLOCK_SLOT_DEFAULT"'
inner "its command's status is its own" '7:' \
    '"$grouplock" run -w w1 -n -- sh -c "exit 7"'
inner "its command has grouplock's pid" '0:same' \
    'sh -c "echo \$\$ >pid; exec \"\$grouplock\" run -w w1 -n -- sh -c \"echo \\\$\\\$ >pid2\""; cmp pid pid2 && echo same'
inner "three levels" '0:in' \
    '"$grouplock" run -w w1 -n -- "$grouplock" run -w w2 -n -- "$grouplock" run -g hw1 -n -- echo in'
inner "one after the other" '0:in1 in2' \
    'echo $("$grouplock" run -w w1 -n -- echo in1) $("$grouplock" run -w w1 -n -- echo in2)'
inner "through a program that closes all descriptors" '0:in' \
    'closing "$grouplock" run -w w1 -n -- echo in'
inner "through sudo -E" '0:in' \
    'elevated "$grouplock" run -w w1 -n -- echo in'
inner "three levels that close all descriptors" '0:in' \
    'closing "$grouplock" run -w w1 -n -- closing "$grouplock" run -w w1 -n -- elevated "$grouplock" run -w w1 -n -- echo in'
inner "a child in another session" '0:in' \
    'setsid -w "$grouplock" run -w w1 -n -- echo in'

# The end of an inner call frees nothing of the outer's.
for how in '-- true' '-- sh -c "kill -KILL \$\$"' '-- no-such-command'; do
    : >trace
    mkfifo outer.go
    spawn outer "$grouplock" run -w w1 -- sh -c "closing \"\$grouplock\" run -w w1 -n $how; exec hold outer"
    starts outer || die "'outer' should have started"
    run "$grouplock" run -w w1 -n -- true
    is "$status" 75 "after an inner call ($how) the outer still holds"
    end outer
    rm outer.*
    ok 'all_free hw1 default 0' "... until it ends itself"
done

# --- several slots and locks --------------------------------------------------
run "$grouplock" run -g hw3 -c 2 -- sh -c '"$grouplock" run -g hw3 -n -c 2 -- printenv GROUPLOCK_SLOT'
is "$status:$out" '0:0 1' "as many as are held pass through"
run "$grouplock" run -g hw3 -c 2 -- sh -c '"$grouplock" run -g hw3 -n -- printenv GROUPLOCK_SLOT'
like "$status:$out" '^0:[01]$' "fewer than are held pass through, and are told of that many"
run "$grouplock" run -g hw3 -x -- sh -c '"$grouplock" run -g hw3 -n -x -- printenv GROUPLOCK_SLOT'
is "$status:$out" '0:0 1 2' "exclusive inside exclusive passes through"
run "$grouplock" run -g hw1 -l devkit=2 -l link -- sh -c \
    '"$grouplock" run -g hw1 -n -l link -l devkit=2 -- sh -c "echo \$GROUPLOCK_SLOT_DEVKIT, \$GROUPLOCK_SLOT_LINK"'
is "$status:$out" '0:kit-a kit-b, 0' "several locks held pass through together"
run "$grouplock" run -g hw1 -l link -- sh -c \
    '"$grouplock" run -g hw1 -n -l link -l devkit=2 -- sh -c "flock -n \"\$GROUPLOCK_DIR\"/hw1/devkit/slot.kit-a true; echo \$? \$GROUPLOCK_SLOT_DEVKIT"'
is "$status:$out" '0:1 kit-a kit-b' "of two locks one passes through and the other is acquired"
ok 'all_free hw1 devkit kit-a kit-b && all_free hw1 link 0' "... and freed"
run "$grouplock" run -w w1 -- sh -c \
    '"$grouplock" run -w w1 -l link -n -- sh -c "\"\$grouplock\" run -w w1 -n -- echo in; \"\$grouplock\" run -w w1 -n -l link -- echo in"'
is "$status:$out" $'0:in\nin' "the third level passes through what the first and the second hold"

# --- more than is held --------------------------------------------------------
for claim in '-c 2' -x '-l default=3' '-l default=all'; do
    run timeout 60 "$grouplock" run -g hw3 -- sh -c "\"\$grouplock\" run -g hw3 $claim -- touch ran"
    refused "one held, $claim asked for" hw3
    ok '[[ ! -e ran ]]' "... at once, and nothing ran"
done
run timeout 60 "$grouplock" run -g hw3 -c 2 -- sh -c '"$grouplock" run -g hw3 -n -c 3 -- touch ran'
refused "two held, three asked for: both numbers are named" 2 3
run timeout 60 "$grouplock" run -g hw3 -- sh -c \
    'GROUPLOCK_HELD="$GROUPLOCK_HELD $GROUPLOCK_HELD" "$grouplock" run -g hw3 -n -c 2 -- touch ran'
refused "a slot held counts once, however often it is named" 1 2

# --- what does not pass -------------------------------------------------------
hold link -w w1 -l link
run timeout 60 "$grouplock" run -w w1 -- sh -c '"$grouplock" run -w w1 -l link -n -- true'
is "$status" 75 "an inner call for another lock finds it busy"
mkfifo outer.go
spawn outer "$grouplock" run -w w1 -- "$grouplock" run -w w1 -l link -- hold outer
soon 'queued outer' || die "'outer' should have queued"
end link
ok 'starts outer' "... and queues as everybody does"
run "$grouplock" run -w w1 -l link -n -- true
is "$status" 75 "... and holds it then"
end outer
ok 'all_free hw1 link 0' "... until it ends"
hold three -g hw3 -x
run timeout 60 "$grouplock" run -w w1 -- sh -c '"$grouplock" run -g hw3 -n -- true'
is "$status" 75 "an inner call for another group does not pass"
end three

# A daemon that a job left behind has the job's environment but not its slot.
cat >bin/daemon <<'END'
#!/bin/sh
# daemon: leaves a process that runs what comes through the FIFO "orders".
setsid sh -c 'while read -r order; do sh -c "$order" >answer.new 2>&1; echo $? >>answer.new; mv answer.new answer; done <orders' \
    >/dev/null 2>&1 &
END
chmod 755 bin/daemon
mkfifo orders
# order COMMAND: what the daemon's command prints, and its status.
order() {
    rm -f answer
    echo "$1" >&"$orders"
    soon '[[ -e answer ]]' || die "the daemon should have answered"
    paste -sd ' ' answer
}
exec {orders}<>orders
for sort in daemon 'closing daemon'; do
    run "$grouplock" run -w w1 -- sh -c "$sort; echo \$GROUPLOCK_HELD >held"
    like "$(<held)" '^hw1/default/slot\.0=' "a job has left a daemon ($sort)"
    is "$(order 'echo $GROUPLOCK_HELD')" "$(<held) 0" "... with what the job held in its environment"
    hold next -w w1
    is "$(order '"$grouplock" run -q -w w1 -n -- echo in')" 75 "the daemon does not pass when another job holds the slot"
    end next
    soon 'slot_free hw1 default 0' || die "the slot should be free"
    is "$(order '"$grouplock" run -q -w w1 -n -- sh -c "flock -n \"\$GROUPLOCK_DIR/hw1/default/slot.0\" true; echo held \$?"')" \
        'held 1 0' "... nor when nobody does: it takes the slot itself"
    answer=$(order '"$grouplock" run -q -w w1 -n -- printenv GROUPLOCK_HELD')
    like "${answer/$(<held)/}" 'hw1/default/slot\.0=[^ ]+ 0$' "... and holds it under another ID"
    echo 'kill $PPID' >&"$orders"
done
exec {orders}>&-

# What one reads in the directory, or makes up, is no claim.
hold holder -w w1
claim=$(environ holder GROUPLOCK_HELD)
is "$(GROUPLOCK_HELD=$claim "$grouplock" run -w w1 -n -- echo in)" in "who has the claim passes"
cp locks/hw1/default/slot.0 record
for bytes in '' garbage; do
    printf %s "$bytes" >locks/hw1/default/slot.0
    GROUPLOCK_HELD=$claim run "$grouplock" run -w w1 -- true
    refused "a slot with '$bytes' for a record: it may be the own build's, which nobody can wait for" slot.0 'unset GROUPLOCK_HELD'
done
cat record >locks/hw1/default/slot.0
read -r words <<<"$(tr -c 'A-Za-z0-9_-' ' ' <locks/hw1/default/slot.0)"
for word in ${words:-none} "${claim#*=}x" "${claim%?}" ''; do
    GROUPLOCK_HELD=${claim%=*}=${word#*=} run "$grouplock" run -q -w w1 -n -- true
    is "$status" 75 "'$word' is no claim"
done
for held in "${claim/0=/1=}" "${claim/slot.0/0}" "${claim/default/link}" "${claim/hw1/hw3}" "$claim$claim" garbage '=' '/' '///=' "$(printf '%0100000d' 0)" $'\xff\n'; do
    GROUPLOCK_HELD=$held run "$grouplock" run -q -w w1 -n -- true
    is "$status" 75 "${held:0:40} is no claim"
done
for held in "garbage $claim" "$claim garbage" "  $claim  " "hw3/default/slot.0=1 $claim hw1/link/slot.0=2"; do
    GROUPLOCK_HELD=$held run "$grouplock" run -q -w w1 -n -- echo in
    is "$status:$out" 0:in "a claim among others: ${held/$claim/CLAIM}"
done
# What would be too long for the command's environment is refused before anything is waited for.
long=$(printf '%0131000d' 0)
GROUPLOCK_HELD=$long run "$grouplock" run -q -w w1 -t 60 -- true
refused "no room in GROUPLOCK_HELD for another slot" GROUPLOCK_HELD
GROUPLOCK_HELD=$long run "$grouplock" claim -q -w w1 -t 60 --json
refused "... nor for a claim's" GROUPLOCK_HELD
end holder
GROUPLOCK_HELD=$claim run "$grouplock" run -w w1 -n -- sh -c 'flock -n "$GROUPLOCK_DIR/hw1/default/slot.0" true; echo $?'
is "$status:$out" 0:1 "a claim that has ended: the slot is acquired"

done_testing
