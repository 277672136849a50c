#!/usr/bin/env bash
# A power cut, or somebody with rm(1): counters and files that are lost, garbled or old. Those who
# see the same files are never more than the limit, and all are served. What befalls the gate
# while it is in use is in run-recovery.t.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 2
END
place=locks/hw1/default

# goes_on NAME: two run, two wait in order, nobody else gets in, and all of them end.
goes_on() {
    : >trace
    hold one -g hw1
    hold two -g hw1
    queue a -g hw1
    queue b -g hw1
    run "$grouplock" run -q -g hw1 -n -- true
    is "$status" 75 "$1: no third beside two"
    ok 'still_waits a b' "... two wait"
    end one
    ok 'starts a' "... the first of them goes on"
    ok 'still_waits b' "... alone"
    end two
    ok 'starts b' "... then the second"
    end a
    end b
    is "$(start_order) $(most_at_once)" 'one two a b 2' "... in order, two at a time"
    ok 'all_free hw1 default 0 1' "... and none is kept"
}

# --- after the cut: the files of processes that are no more -------------------------------------------
hold one -g hw1
hold two -g hw1
cp -a locks early
queue a -g hw1
queue b -g hw1
cp -a locks late
end one
end two
end a
end b

# life NAME COMMAND...: with the files as they were, but for what the command does to them.
life() {
    rm -rf locks
    cp -a late locks
    "${@:2}"
    goes_on "$1"
}
random() { head -c "$1" /dev/urandom; }
each_file() {
    local file
    for file in "$place"/*; do "$@" "$file"; done
}
cut_short() { truncate -s "$1" "$place/gate"; }
garble() { random 128 >"$place/gate"; }
zeros() { truncate -s 0 "$1" && truncate -s 4096 "$1"; }
overwrite() { random 5000 >"$1"; }
numbers() {
    printf '%-127s\n' "grouplock 1 first=$1 next=$2 limit=$3 top=$4" >"$place/gate"
}
far_ticket() { mv "$place/ticket.2" "$place/ticket.$1"; }
life "nothing lost" :
life "the gate cut to a byte" cut_short 1
life "the gate cut short by a byte" cut_short 127
life "the gate with a tail" truncate -s 4096 $place/gate
life "a random gate" garble
life "an old gate" cp early/hw1/default/gate $place/gate
life "a gate of far numbers" numbers 1000000 1000001 2 2
life "a gate of the largest numbers" numbers 4611686018427387903 4611686018427387903 2 0
life "a gate that says that no slot is held" numbers 1 1 2 0
life "all files zeros, as some file systems leave them" each_file zeros
life "all files random" each_file overwrite
life "all files empty" each_file truncate -s 0
life "a ticket far ahead" far_ticket 40000
life "a ticket of the largest number" far_ticket 18446744073709551615
life "no tickets" rm $place/ticket.1 $place/ticket.2
life "no slots" rm $place/slot.0 $place/slot.1

# --- tickets, while they are in use -------------------------------------------------------------------
# Those who lost theirs stand at the end; whoever it is, no more than two run.
# one_of NAME...: $next is one of them that runs.
one_of() {
    for next; do
        if held "$next"; then return 0; fi
    done
    return 1
}
# mishap NAME COMMAND...
mishap() {
    local name
    fresh_locks
    : >trace
    hold one -g hw1
    hold two -g hw1
    for name in a b c; do queue $name -g hw1; done
    "${@:2}"
    run "$grouplock" run -q -g hw1 -n -- true
    is "$status" 75 "$1: no third beside two"
    end one
    ok 'soon "one_of a b c"' "... somebody goes on"
    end two
    left=(a b c)
    while ((${#left[@]})) && soon 'one_of "${left[@]}"'; do
        end "$next"
        read -ra left <<<"${left[*]/#$next/}"
    done
    is "${left[*]}" '' "... all are served"
    is "$(most_at_once)" 2 "... two at a time"
    ok 'all_free hw1 default 0 1' "... and none is kept"
}
replace() {
    cp "$1" copy
    rm "$1"
    mv copy "$1"
}
swap() {
    mv "$place/ticket.1" "$place/aside"
    mv "$place/ticket.2" "$place/ticket.1"
    mv "$place/aside" "$place/ticket.2"
}
for number in 1 2 3; do
    mishap "ticket $number of 3 deleted" rm $place/ticket.$number
    mishap "ticket $number of 3 replaced" replace $place/ticket.$number
    mishap "ticket $number of 3 emptied" truncate -s 0 $place/ticket.$number
done
mishap "two tickets that changed places" swap
mishap "all tickets deleted, and the gate" rm $place/ticket.1 $place/ticket.2 $place/ticket.3 $place/gate
mishap "an old gate under tickets" numbers 1 1 2 0

# --- the group's directory, while it is held ----------------------------------------------------------
# Whoever holds slots of the directory that was removed cannot be seen in the new one: the manual
# says so under ASSUMPTIONS. Those in the new one exclude each other.
for lost in locks/hw1 $place; do
    fresh_locks
    : >trace
    hold one -g hw1
    hold two -g hw1
    queue new-a -g hw1
    rm -r "$lost"
    ok 'starts new-a' "$lost removed while held: who waited goes to the new one"
    hold new-b -g hw1
    queue new-c -g hw1
    run "$grouplock" run -q -g hw1 -n -- true
    is "$status" 75 "... which has two slots again, and no third"
    end one
    end two
    ok 'still_waits new-c' "... nor do the slots of the old one count in it"
    end new-a
    ok 'starts new-c' "... who waits there is served"
    end new-b
    end new-c
    is "$(most_at_once ^new)" 2 "... two at a time"
    ok 'all_free hw1 default 0 1' "... and none is kept"
done

# Moved away and put back: all see the same files again.
fresh_locks
hold one -g hw1
hold two -g hw1
mv locks/hw1 aside
mv aside locks/hw1
run "$grouplock" run -q -g hw1 -n -- true
is "$status" 75 "a directory that was put back: its holders still hold"
end one
end two

done_testing
