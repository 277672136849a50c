#!/usr/bin/env bash
# A command that unlocks what it inherited lets another one in, which cannot be helped. When it ends,
# its keeper must not touch what is that other one's by then.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
hw2 = 2
END

cat >bin/unlock <<'END'
#!/usr/bin/perl
# unlock ID OPERATION...: does that to each file that it inherited (8 is LOCK_UN, 2 LOCK_EX, 1 LOCK_SH), then holds as
# `hold`, though the slots may be free. Above 8: but to the first file only.
use strict;
my ($id, @operations) = @ARGV;
my $place = "$ENV{GROUPLOCK_DIR}/";
my @fds = sort { $a <=> $b } grep { index(readlink("/proc/self/fd/$_") // '', $place) == 0 } map { s{.*/}{}r } glob '/proc/self/fd/*';
die "no slots\n" unless @fds;
for my $operation (@operations) {
    for my $fd ($operation > 8 ? $fds[0] : @fds) {
        open my $file, '+<&=', $fd or die "$fd: $!";
        flock $file, $operation > 8 ? $operation - 8 : $operation or die "flock: $!";
        $main::kept{$fd} = $file;
    }
}
exec 'hold', $id unless fork;
wait;
END
sed -i 's/^my @fds/$^F = 1000;\n&/' bin/unlock  # what it opens stays open across exec
chmod 755 bin/unlock

# unlocker NAME OPERATION... -- [RUN-OPTION...]: a holder that does this first.
unlocker() {
    local name=$1 operations=()
    shift
    while [[ $1 != -- ]]; do operations+=("$1"); shift; done
    holder "$name" "$grouplock" run "${@:2}" -- unlock "$name" "${operations[@]}"
}
# passes NAME [OPTION...]: a nested call of NAME's command passes.
passes() {
    GROUPLOCK_HELD=$(environ "$1" GROUPLOCK_HELD) run "$grouplock" run -n "${@:2}" -- echo ran
    [[ $status:$out == 0:ran ]]
}
state() { sed -n 's/^state //p' "$1"; }
# gone NAME: lets it end, and its keeper after it.
gone() {
    local keeper
    keeper=$(keeper_of "$1")
    [[ $keeper ]] || die "'$1' should have a keeper"
    end "$1"
    soon "dead $keeper" || die "the keeper of '$1' should have ended"
}

# --- another one has it -----------------------------------------------------------------------
for kind in run -k claim; do
    unlocker a 8 -- -g hw1
    ok 'slot_free hw1 default 0' "a command has unlocked its slot"
    case $kind in
        run) hold b -g hw1 ;;
        -k) hold b -g hw1 -k ;;
        claim)
            spawn b sleep 150
            run "$grouplock" claim -g hw1 --pid "${pids[b]}"
            ((status == 0)) || die "there should be a claim: $err"
            held=$(sed -n "s/^GROUPLOCK_HELD='\(.*\)';.*/\1/p" <<<"$out")
            ;;
    esac
    ok '! slot_free hw1 default 0' "... and another one has it ($kind)"
    cp $slot record
    gone a
    ok 'cmp record $slot' "... when the first ends, the other's record is as it was"
    if [[ $kind == claim ]]; then
        GROUPLOCK_HELD=$held run "$grouplock" run -n -g hw1 -- echo ran
        is "$status:$out" 0:ran "... and a call of the other's own passes"
        run "$grouplock" run -n -g hw1 -- true
        is "$status" 75 "... and no others"
        GROUPLOCK_HELD=$held run "$grouplock" release
        is "$status:$err" 0: "... and it can be released"
        end_by b KILL
    else
        ok 'passes b -g hw1' "... and a nested call of the other passes"
        run "$grouplock" run -n -g hw1 -- true
        is "$status" 75 "... and nobody else"
        queue c -g hw1
        ok 'still_waits c' "... who waits goes on waiting"
        end b
        ok 'starts c' "... until the other ends"
        end c
    fi
    ok 'all_free hw1 default 0' "... then it is free"
done

# --- another one has had it -------------------------------------------------------------------
# With -k nobody writes into a record that it is over.
for kind in run -k; do
    unlocker a 8 -- -g hw1
    option=()
    [[ $kind == run ]] || option=(-k)
    run "$grouplock" run "${option[@]}" -g hw1 -n -- true
    is "$status" 0 "another one has had the slot ($kind)"
    all_free hw1 default 0
    [[ $kind == -k ]] || soon '[[ $(state $slot) == ended* ]]'
    cp $slot record
    gone a
    ok 'cmp record $slot' "... its record is as it was"
done

# --- nobody else came: all is as ever -----------------------------------------------------------
for operations in 8 '8 2' '8 1' 1 2; do
    # shellcheck disable=SC2086 # words
    unlocker a $operations -- -g hw1
    gone a
    like "$(state $slot)" ^ended "a command that did flock($operations) ends: its record says so"
    ok 'all_free hw1 default 0' "... and the slot is free"
done
unlocker a 8 2 -- -g hw1
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "a command that has locked its slot again has it"
ok 'passes a -g hw1' "... and its nested calls pass"
queue b -g hw1
gone a
ok 'starts b' "... until it ends"
end b

# --- several slots ------------------------------------------------------------------------------
unlocker a 16 -- -g hw2 -c 2
first=locks/hw2/default/slot.0 second=locks/hw2/default/slot.1
like "$(slot_free hw2 default 0 && echo free):$(slot_free hw2 default 1 && echo free)" '^free:$|^:free$' "one of two slots is unlocked"
slot_free hw2 default 1 && first=$second second=locks/hw2/default/slot.0
printf 'no record of ours\n' >$first
cp $first record
gone a
ok 'cmp record $first' "a record that is not the command's is left alone"
like "$(state $second)" ^ended "... and the other slot's says that it has ended"
ok 'all_free hw2 default 0 1' "... both are free"

unlocker a 16 -- -g hw2 -c 2
slot_free hw2 default 0 && first=locks/hw2/default/slot.0 second=locks/hw2/default/slot.1
slot_free hw2 default 1 && first=locks/hw2/default/slot.1 second=locks/hw2/default/slot.0
spawn stranger flock $first sleep 150
soon "! slot_free hw2 default ${first##*.}" || die "a stranger should hold the slot"
before=$(<$first)
gone a
is "$(<$first)" "$before" "a slot that a stranger's program has locked is left alone, whatever its record says"
ok '! slot_free hw2 default ${first##*.}' "... and its lock is"
like "$(state $second)" ^ended "... the other slot's record says that it has ended"
end_by stranger KILL

done_testing
