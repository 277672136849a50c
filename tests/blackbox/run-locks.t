#!/usr/bin/env bash
# Claims 3: several locks. All or nothing, and no deadlock in whatever order they
# are named.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 2
[slots build]
* = 2
[slots devkit]
* = 6
[slots link]
* = 3
END

# --- all of them --------------------------------------------------------------
hold all -g hw1 -l build -l devkit=4 -l link=all
is "$(environ all GROUPLOCK_SLOT_BUILD)" 0 "-l build takes one"
is "$(environ all GROUPLOCK_SLOT_DEVKIT)" '0 1 2 3' "-l devkit=4 takes four"
is "$(environ all GROUPLOCK_SLOT_LINK)" '0 1 2' "-l link=all takes all"
is "$(environ all GROUPLOCK_SLOT)" 0 "GROUPLOCK_SLOT is of the first"
is "$(environ all GROUPLOCK_SLOT_DEFAULT)" '' "the lock default is not among them"
for slot in build:0 devkit:{0..3} link:{0..2}; do
    ok "! slot_free hw1 ${slot%:*} ${slot#*:}" "slot ${slot#*:} of ${slot%:*} is held"
done
for slot in build:1 devkit:4 devkit:5; do
    ok "slot_free hw1 ${slot%:*} ${slot#*:}" "slot ${slot#*:} of ${slot%:*} is not"
done
run "$grouplock" run -g hw1 -n -- true
is "$status" 0 "other locks are free"
end all
ok 'all_free hw1 build 0 && all_free hw1 devkit 0 1 2 3 && all_free hw1 link 0 1 2' "the end frees them all"
run "$grouplock" run -g hw1 -c 2 -l build -l devkit=1 -l link -- sh -c \
    'echo "$GROUPLOCK_SLOT_BUILD,$GROUPLOCK_SLOT_DEVKIT,$GROUPLOCK_SLOT_LINK"'
is "$status:$out" '0:0 1,0,0 1' "-c is for those without a count"
run "$grouplock" run -g hw1 -x -l build -l devkit=1 -- sh -c 'echo "$GROUPLOCK_SLOT_BUILD,$GROUPLOCK_SLOT_DEVKIT"'
is "$status:$out" '0:0 1,0' "... and so is -x"

# --- all or nothing -----------------------------------------------------------
# The busy lock is the first or the second in name order, and on the command line.
hold holder -g hw1 -l devkit=all
for free in build link; do
    for locks in "-l $free -l devkit" "-l devkit -l $free"; do
        for how in -n '-t 0.2' '-t 0'; do
            # shellcheck disable=SC2086 # words
            run "$grouplock" run -g hw1 $how $locks -- touch ran
            is "$status:$(ls ran 2>/dev/null)" 75: "$locks $how with devkit busy"
            run "$grouplock" run -g hw1 -n -l "$free=all" -- true
            is "$status" 0 "... gives $free back"
        done
    done
done
# The time is for all of them together.
hold other -g hw1 -l build=all
begun=$EPOCHREALTIME
run "$grouplock" run -g hw1 -t 0.5 -l build -l devkit -- touch ran
took=$((${EPOCHREALTIME/./} - ${begun/./}))
is "$status" 75 "-t over two busy locks"
ok "(($took >= 500000))" "... not before its time"
# A waiter for the second keeps the first, as it must.
end other
queue both -g hw1 -l build=2 -l devkit
ok 'soon "asleep both locks/hw1/devkit/slot.0"' "who waits for the second lock ..."
run "$grouplock" run -g hw1 -n -l build -- true
is "$status" 75 "... holds the first"
end_by both KILL
run "$grouplock" run -g hw1 -n -l build=2 -- true
is "$status" 0 "... and frees it when it dies"
queue both -g hw1 -l build=2 -l devkit
end holder
ok 'starts both' "it starts when it has both"
end both

# Requests that can never be met in the second are refused before the first.
run timeout 60 "$grouplock" run -g hw1 -l build -l devkit=7 -- touch ran
refused "more than the limit of the second lock" devkit 7 6
ok 'slot_free hw1 build 0' "... leaves the first free"

# --- no deadlock --------------------------------------------------------------
# Eight streams of forty commands, each with two locks (or three) in any order and
# with any weight. A deadlock would outlast the test.
cat >bin/job <<'END'
#!/bin/sh
ids=job.$1
for slot in $GROUPLOCK_SLOT_BUILD; do ids="$ids build.$slot"; done
for slot in $GROUPLOCK_SLOT_DEVKIT; do ids="$ids devkit.$slot"; done
for slot in $GROUPLOCK_SLOT_LINK; do ids="$ids link.$slot"; done
printf 'start %s\n' $ids >>trace
printf 'end %s\n' $ids >>trace
END
cat >bin/stream <<'END'
#!/usr/bin/perl
use List::Util 'shuffle';
# stream SEED: forty commands, one after the other.
srand(my $seed = shift);
my %limit = (build => 2, devkit => 6, link => 3);
for my $i (1 .. 40) {
    my @named = (shuffle sort keys %limit)[0 .. 1 + int rand 2];
    my @options = map { ('-l', $_ . ('', '=1', '=' . (1 + int rand $limit{$_}), '=all')[rand 4]) } @named;
    my @command = ($ENV{grouplock}, 'run', '-q', '-g', 'hw1', @options, '--', 'job', "$seed.$i");
    system(@command) == 0 or print "@command: status $?\n";
}
END
chmod 755 bin/job bin/stream
: >trace
for i in {1..8}; do spawn "stream$i" stream "$i"; done
for i in {1..8}; do
    finish "stream$i"
    is "$status:$out$err" '0:' "stream $i of random pairs has ended"
done
is "$(start_order '^job' | wc -w)" 320 "all 320 commands have run"
for lock in build:2 devkit:6 link:3; do
    is "$(most_at_once "^${lock%:*}\\.")" "${lock#*:}" "never more than ${lock#*:} of ${lock%:*}"
    for ((slot = 0; slot < ${lock#*:}; slot++)); do
        is "$(most_at_once "^${lock%:*}\\.$slot\$")" 1 "... slot $slot never twice"
    done
done

done_testing
