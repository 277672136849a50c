#!/usr/bin/env bash
# Descriptors: the slots' are 100 or above, whatever the caller and the command do
# with others.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
hw3 = 3
END

# sleeper NAME COMMAND...: COMMAND is, or execs, a `run` of sleep, which opens nothing itself. Waits until that runs.
sleeper() {
    spawn "$@"
    sleeps "$1" || die "'$1' should have started"
}

# sleeps NAME
sleeps() {
    soon "[[ \$(</proc/${pids[$1]}/comm) == sleep && \$(field ${pids[$1]} State) == S* ]]"
}

# descriptors NAME: the numbers of those that NAME's process has; in place of 100 and above, what they are.
descriptors() {
    fds "${pids[$1]}" | sed -E 's:^([0-9]{1,2}) .*:\1:; s:^[0-9]{3,} .*/::' | paste -sd ' '
}

# unharmed: no message has got into a file of the directory.
unharmed() {
    local file
    for file in locks/*/*/*; do
        [[ ! -s $file || $(head -c 11 "$file") == 'grouplock 1' ]] || return 1
        ! grep -aq 'grouplock: ' "$file" || return 1
    done
}

# --- 0, 1 and 2 closed by the caller ----------------------------------------------
cat >bin/only <<'END'
#!/usr/bin/perl
# only NUMBERS COMMAND...: runs it with these descriptors and no others.
use POSIX ();
my $numbers = shift;
$^F = 10;
for my $fd (0 .. 4096) { POSIX::close($fd) unless $fd < 10 && $numbers =~ $fd }
exec { $ARGV[0] } @ARGV;
END
chmod 755 bin/only

for numbers in '1 2' '0 2' '0 1' none; do
    what="with ${numbers/ / and } of 0, 1 and 2 open"
    expected="$numbers slot.0"
    expected=${expected#none }
    sleeper a only "$numbers" "$grouplock" run -v -g hw1 -- sleep 150
    is "$(descriptors a)" "$expected" "$what: so has the command, and the slot"
    keeper=$(keeper_of a)
    is "$(fds "$keeper" | head -n 3)" $'0 /dev/null\n1 /dev/null\n2 /dev/null' "... the keeper has all three on /dev/null"

    spawn b only "$numbers" "$grouplock" run -v -g hw1 --heartbeat 0.1 -- sleep 150
    soon 'queued b' || die "'b' should have queued"
    [[ $numbers != *2* ]] || says b 'in the queue after' || die "'b' should have said that it waits"
    ok 'soon "asleep b" && unharmed' "... a waiter's messages get into no file"
    end_by a TERM
    is "$status" 143 "... the command ends"
    sleeps b || die "'b' should have started"
    is "$(descriptors b)" "$expected" "... after a wait it has the same"
    ok unharmed "... no message has got into a file"
    end_by b TERM
    soon no_keepers

    run only "$numbers" "$grouplock" run -g hw1 -d /nowhere -- true
    is "$status" 125 "... an error is an error"
    run only "$numbers" "$grouplock" run -g hw1 -- no-such-command
    is "$status" 127 "... and so is this"
    ok unharmed "... no message has got into a file"
done

# --- what a script does with its own --------------------------------------------------------------
cat >bin/script <<'END'
#!/bin/sh
# script ID: uses 3 to 9, as scripts do, and closes them.
exec 3>f3 4>f4 5>f5 6>f6 7>f7 8>f8 9>f9
for n in 3 4 5 6 7 8 9; do eval "echo $n >&$n"; done
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
exec 3>f3 4>f4 5>f5 6>f6 7>f7 8>f8 9>f9
exec hold-4 "$1"
END
sed 's/3<>/4<>/; s/<&3/<\&4/' bin/hold >bin/hold-4
cat >bin/bash-script <<'END'
#!/bin/bash
# bash-script ID: uses each from 3 to 99, and what bash gives it.
for ((n = 3; n < 100; n++)); do
    ((n == 255)) || eval "exec $n>f-$n $n>&- $n>f-$n"
done
exec {own}>own
echo mine >&"$own"
for ((n = 5; n < 100; n++)); do eval "exec $n>&-"; done
exec hold "$1"
END
chmod 755 bin/script bin/hold-4 bin/bash-script
for script in script bash-script; do
    hold_option=()
    [[ $script == script ]] || hold_option=(-x)
    holder a "$grouplock" run -g hw3 "${hold_option[@]}" -- $script a
    run "$grouplock" run -g hw3 -x -n -- true
    is "$status" 75 "$script: descriptors of its own; the slot is held"
    ok 'has_open "${pids[a]}" locks/hw3/default/slot.0' "... the command still has it open"
    kill_keeper a
    run "$grouplock" run -g hw3 -x -n -- true
    is "$status" 75 "... and holds it without the keeper"
    end a
    is "$status:$err" 0: "... and ends well"
    ok 'all_free hw3 default 0 1 2' "... and it is free"
done
is "$(cat f3 f9 own)" mine "what the scripts wrote is in their files"

# --- the numbers ------------------------------------------------------------------------------------
sleeper a only '0 1 2' "$grouplock" run -g hw3 -x -- sleep 150
is "$(descriptors a)" '0 1 2 slot.0 slot.1 slot.2' "three slots: 100 and above, in order"
end_by a TERM
exec 100<groups.ini 102<groups.ini
sleeper a "$grouplock" run -g hw3 -x -t "$patience" -- sleep 150
exec 100<&- 102<&-
fds "${pids[a]}" | sed -n 's:/.*/::; /^100 /p; /^102 /p' >callers
is "$(<callers)" $'100 groups.ini\n102 groups.ini' "where the caller has some of these open, they stay the caller's"
like "$(descriptors a)" '( slot.[012]| groups.ini){5}' "... and the slots have others"
end_by a TERM

done_testing
