#!/usr/bin/env bash
# run: the queue. Who comes first runs first, and who dies is out of the way.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[workers]
msvc10 = hw1
msvc11 = hw1
linux  = hw2
[slots]
* = 1
[slots link]
* = 1
END

cat >bin/job <<'END'
#!/bin/sh
echo "start $1" >>trace
echo "end $1" >>trace
END
chmod 755 bin/job

# line NAME [RUN-OPTION...]: a waiter at the end of the queue, whose command ends.
line() {
    local name=$1
    shift
    spawn "$name" "$grouplock" run "$@" -- job "$name"
    soon "queued $name" || die "'$name' should have queued"
}

# drain NAME...: waits for their ends; how many failed.
drain() {
    local name failed=0
    for name; do
        finish "$name"
        ((status == 0)) || { ((++failed)); diag "$name: status $status, $err"; }
    done
    is "$failed" 0 "... all of them succeed"
}

# --- twenty in strict order ---------------------------------------------------
hold holder -w msvc10
for i in {1..20}; do line "$i" -w "msvc1$((i % 2))"; done
is "$(find locks/hw1/default -name 'ticket.*' -printf '%f\n' | sort -t. -k2n | paste -sd ' ')" \
    "$(printf 'ticket.%d\n' {1..20} | paste -sd ' ')" "twenty waiters have the tickets 1 to 20"
run "$grouplock" run -w msvc10 -n -- job newcomer
is "$status" 75 "a newcomer finds no slot"
ok 'still_waits {1..20}' "all twenty wait"
end holder
drain {1..20}
is "$(start_order)" "$(echo holder {1..20})" "... in the order in which they came"
is "$(most_at_once)" 1 "... one at a time"
is "$(find locks -name 'ticket.*')" '' "no ticket is left"

# --- each release starts the next one only ------------------------------------
: >trace
hold a -w msvc10
for i in b c d; do queue $i -w msvc11; done
end a
ok 'starts b' "the end of the holder starts the first waiter"
ok 'still_waits c d' "... and no other"
end b
ok 'starts c' "its end starts the second"
ok 'still_waits d' "... and no other"
end c
end d
is "$(start_order)" 'a b c d' "the order of it all"

# --- waiters that die ---------------------------------------------------------
: >trace
hold holder -w msvc10
for i in {1..9}; do line "$i" -w msvc10; done
end_by 3 TERM
end_by 5 INT
end_by 6 KILL
end_by 8 HUP
end_by 9 KILL
line 10 -w msvc10
ok 'still_waits 1 2 4 7 10' "waiters in the middle and at the end killed: the others wait on"
end holder
drain 1 2 4 7 10
is "$(start_order)" 'holder 1 2 4 7 10' "... and run in their order"
run "$grouplock" run -w msvc10 -- true
is "$status:$(find locks -name 'ticket.*')" '0:' "the next newcomer removes the tickets of the dead"

for signal in TERM INT KILL; do
    : >trace
    hold holder -w msvc10
    queue head -w msvc10
    queue second -w msvc10
    queue third -w msvc10
    end_by head $signal
    # That is what tells the new head from one that still looks at its ticket.
    ok 'soon "asleep second locks/hw1/default/slot.0"' "head killed by SIG$signal: the second is head at once"
    run "$grouplock" run -w msvc10 -n -- true
    is "$status" 75 "... the slot is still held"
    end holder
    ok 'starts second' "... then the second runs"
    ok 'still_waits third' "... and the third waits"
    end second
    end third
    is "$(start_order)" 'holder second third' "... for its turn"
done

# Everybody in the queue dies at once.
hold holder -w msvc10
for i in {1..5}; do queue "$i" -w msvc10; done
{
    kill -KILL "${pids[1]}" "${pids[2]}" "${pids[3]}" "${pids[4]}" "${pids[5]}"
    for i in {1..5}; do finish "$i"; done
} 2>/dev/null # where bash would tell of each
end holder
run "$grouplock" run -w msvc10 -t 20 -- echo ran
is "$status:$out" 0:ran "a whole queue killed: the next one runs"

# --- holders that die ---------------------------------------------------------
for signal in TERM KILL; do
    : >trace
    hold holder -w msvc10
    queue next -w msvc10
    queue after -w msvc10
    end_by holder $signal
    ok 'starts next' "holder killed by SIG$signal: the next runs"
    ok 'still_waits after' "... and only the next"
    end next
    end after
    is "$(most_at_once)" 1 "... never two at once"
done

# --- giving up ----------------------------------------------------------------
: >trace
hold holder -w msvc10
begun=$EPOCHREALTIME
run "$grouplock" run -w msvc10 -t 0.7 -- job late
took=$((${EPOCHREALTIME/./} - ${begun/./}))
is "$status" 75 "-t: 75 when the time is over"
ok "(($took >= 700000))" "... and not earlier"
is "$(find locks/hw1 -name 'ticket.*' | wc -l)" "$(find locks/hw1 -name 'ticket.*' -exec flock -n {} true \; -print | wc -l)" \
    "... its ticket is dead"
queue patient -w msvc10
spawn late "$grouplock" run -w msvc10 -t 5 -- job late
soon 'queued late' || die "'late' should have queued"
queue last -w msvc10
finish late
is "$status" 75 "-t: who gives up in the middle of the queue ..."
ok 'still_waits patient last' "... leaves the others in it"
end holder
ok 'starts patient' "the first of them runs"
end patient
ok 'starts last' "... and then the one behind who gave up"
end last
is "$(start_order)" 'holder patient last' "who gave up never ran"
hold holder -w msvc10
queue patient -w msvc10 -t 1h
end holder
ok 'starts patient' "-t: a slot that comes in time"
end patient
is "$status" 0 "... is as good as any"

# --- what is independent of what ----------------------------------------------
hold holder -w msvc10
run "$grouplock" run -w msvc11 -n -- true
is "$status" 75 "two workers of a group share its slot"
run "$grouplock" run -w linux -n -- true
is "$status" 0 "another group has its own"
for worker in stray another; do
    run "$grouplock" run -w "$worker" -n -- true
    is "$status" 0 "an unlisted worker has its own"
done
hold stray -w stray
run "$grouplock" run -w STRAY -n -- true
is "$status" 75 "... which is one for all that name it"
run "$grouplock" run -w another -n -- true
is "$status" 0 "... and not for another unlisted worker"
run "$grouplock" run -w msvc10 -l link -n -- true
is "$status" 0 "another lock of the same group has its own"
hold linker -w msvc10 -l link
run "$grouplock" run -w msvc11 -l link -n -- true
is "$status" 75 "... which its workers share"
run "$grouplock" run -w linux -l link -n -- true
is "$status" 0 "... and other groups do not"
run "$grouplock" run -w anybody -g hw1 -n -- true
is "$status" 75 "-g names the same group"
queue waiter -w msvc11
queue link-waiter -w msvc11 -l link
end linker
ok 'starts link-waiter' "a lock's queue moves by itself"
ok 'still_waits waiter' "... and the other lock's does not"
end link-waiter
end holder
end waiter
end stray

done_testing
