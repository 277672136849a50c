#!/usr/bin/env bash
# run: files in the directory that are not as they should be. The kernel's locks
# are the truth; the order of the queue outlives its counters.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END
place=locks/hw1/default

# What befalls the gate while a holder and two waiters are there.
lose_gate() { rm "$place/gate"; }
empty_gate() { : >"$place/gate"; }
garble_gate() { printf 'no numbers here\n\xff\0\x01' >"$place/gate"; }
bloat_gate() { head -c 1000000 /dev/zero | tr '\0' 9 >"$place/gate"; }
# Numbers that the queue has long passed.
rewind_gate() { cp gate.before "$place/gate"; }

for mishap in lose_gate empty_gate garble_gate bloat_gate rewind_gate; do
    : >trace
    fresh_locks
    run "$grouplock" run -g hw1 -- true
    cp $place/gate gate.before
    hold holder -g hw1
    queue a -g hw1
    queue b -g hw1
    $mishap
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "$mishap: a newcomer still finds no slot"
    queue c -g hw1
    queue d -g hw1
    ok 'still_waits a b c d' "... all wait"
    end holder
    ok 'starts a' "... the first goes first"
    ok 'still_waits b c d' "... alone"
    end_by b KILL
    end a
    ok 'starts c' "... the newcomer after those before it"
    end c
    end d
    is "$(start_order)" 'holder a c d' "... in order"
    is "$(most_at_once)" 1 "... one at a time"
done

# The queue is found again even by who could have a slot at once: here the head is
# stopped and cannot take what is free.
for mishap in lose_gate empty_gate garble_gate bloat_gate; do
    : >trace
    fresh_locks
    hold holder -g hw1
    queue a -g hw1
    queue b -g hw1
    signal a STOP
    soon 'stopped a' || die "'a' should have stopped"
    end holder
    soon 'slot_free hw1 default 0' || die "the slot should be free"
    $mishap
    run "$grouplock" run -q -g hw1 -n -- true
    is "$status" 75 "$mishap while a slot is free and somebody is in the queue: a newcomer does not pass"
    signal a CONT
    ok 'starts a' "... the head takes the slot"
    end a
    end b
    is "$(start_order)" 'holder a b' "... and the others follow"
done

# The gate says nothing of a free group either.
fresh_locks
run "$grouplock" run -g hw1 -- true
for mishap in garble_gate bloat_gate empty_gate lose_gate; do
    $mishap
    run "$grouplock" run -g hw1 -n -- echo ran
    is "$status:$out" 0:ran "$mishap of a free group"
done

# Records are commentary: a holder's and a waiter's may say anything.
hold holder -g hw1
head -c 100000 /dev/urandom >junk
cp junk $place/slot.0
spawn waiter "$grouplock" run -g hw1 -t 0.3 -- true
finish waiter
is "$status" 75 "a record of junk: the holder still holds"
is "$(grep -vc '^grouplock: ' waiter.err)" 0 "... every line of the waiter is grouplock's"
unlike "$err" '[^[:print:]'$'\n'']' "... and printable"
: >$place/slot.0
spawn waiter "$grouplock" run -g hw1 -n -- true
finish waiter
is "$status:$(wc -l <waiter.err)" 75:1 "an empty record: one line without it"
end holder

# Files that nobody has locked mean nothing.
fresh_locks
mkdir -p $place
for i in 1 2 3 7; do : >$place/ticket.$i; done
: >$place/slot.0
run "$grouplock" run -g hw1 -n -- echo ran
is "$status:$out" 0:ran "tickets and slots that nobody holds"

# A ticket's number that somebody has locked although the counter says it is next.
fresh_locks
hold holder -g hw1
: >$place/ticket.1
mkfifo foreign.go
spawn foreign flock $place/ticket.1 hold foreign
starts foreign || die "'foreign' should have locked the ticket"
queue a -g hw1
queue b -g hw1
ok 'still_waits a b' "a foreign lock on the next ticket: waiters take other numbers"
end foreign
end holder
ok 'starts a' "... and come in order"
ok 'still_waits b' "... one at a time"
end a
end b

done_testing
