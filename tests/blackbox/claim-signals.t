#!/usr/bin/env bash
# What ends claim between the moment in which it has its slots and the one in which its caller
# knows ends the claim, too; and what does not end it, does not.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0
ulimit -Sc 0

# blocked NAME COMMAND...: COMMAND becomes a claim of hw1 whose stdout is a full pipe; it has the
# slot, and its keeper is there, but it cannot print.
blocked() {
    local claim=$1
    shift
    rm -f full
    mkfifo full
    exec {pipe}<>full
    perl -MFcntl -e 'sysopen my $pipe, "full", O_WRONLY | O_NONBLOCK or die; 1 while syswrite $pipe, "\0" x 4096'
    spawn "$claim" bash -c "exec \"\$@\" >full $pipe>&-" bash "$@"
    # Its keeper is what the record names at last, just before it prints.
    soon "[[ \$(sed -n 's/^pid //p' locks/$claimed 2>/dev/null) =~ ^[0-9]+\$ &&
        \$(sed -n 's/^pid //p' locks/$claimed) != ${pids[$claim]} && \$(held_slots) == $claimed ]]" ||
        die "'$claim' should have its slot"
}

# drained: what claim prints into the pipe from now on is read, to its end.
drained() {
    local reading
    exec {reading}<full
    spawn drain bash -c "exec cat <&$reading $pipe>&-"
    exec {reading}<&- {pipe}>&-
}

# text: what came through the pipe behind what had filled it.
text() {
    tr -d '\0' <drain.out
}

# passes: whether who evals the text has the slot.
passes() {
    (
        eval "$(text)"
        [[ ${GROUPLOCK_HELD-} ]] || exit 1
        before=$GROUPLOCK_HELD
        [[ $("$grouplock" run -q -g hw1 -n -- printenv GROUPLOCK_HELD) == "$before" ]]
    )
}

# --- signals that end it --------------------------------------------------------------------
for option in '' --json; do
    for signal in TERM:143 INT:130 HUP:129 QUIT:131 USR1:138 ALRM:142; do
        # shellcheck disable=SC2086 # a word or none
        blocked claim "$grouplock" claim -g hw1 $option
        signal claim "${signal%:*}"
        drained
        finish claim
        wait "${pids[drain]}"
        unset 'pids[drain]'
        is "$status" "${signal#*:}" "claim $option that cannot print yet dies by SIG${signal%:*}"
        ok 'all_free hw1 default 0' "... and nothing is held"
    done
    # shellcheck disable=SC2086
    blocked claim "$grouplock" claim -g hw1 $option
    end_by claim KILL
    is "$status" 137 "claim $option that cannot print yet is killed"
    ok 'all_free hw1 default 0' "... and nothing is held"
    exec {pipe}>&-
done
blocked claim "$grouplock" claim -g hw1
kill -KILL -- "-${pids[claim]}"
finish claim
ok 'all_free hw1 default 0' "... with its process group: the same"
exec {pipe}>&-
blocked claim "$grouplock" claim -g hw1 --pid 0 --max 1h
end_by claim KILL
ok 'all_free hw1 default 0' "... bound to no process: the same"
exec {pipe}>&-

# The reader goes away instead.
blocked claim "$grouplock" claim -g hw1
exec {pipe}>&-
finish claim
ok '((status == 125 || status == 141))' "the reader of the pipe is gone: claim fails ($status)"
ok 'all_free hw1 default 0' "... and nothing is held"

# --- and those that do not ---------------------------------------------------------------------
for signal in TERM INT HUP QUIT USR1; do
    blocked claim sh -c 'trap "" $0; exec "$@"' $signal "$grouplock" claim -g hw1
    signal claim $signal
    drained
    finish claim
    wait "${pids[drain]}"
    unset 'pids[drain]'
    is "$status" 0 "SIG$signal, which the caller ignores, does not end a claim"
    ok 'passes' "... which holds for whoever evals what it printed"
    out=$(text)
    run "$grouplock" release "$(said_value CLAIM)"
    is "$status:$(held_slots)" 0: "... to its release"
done
for signal in STOP TSTP; do
    blocked claim "$grouplock" claim -g hw1
    signal claim $signal
    [[ $signal != STOP ]] || soon 'stopped claim' || die "'claim' should have stopped"
    drained
    signal claim CONT
    # SIGTSTP came while it was blocked, and may take effect when it has printed.
    soon 'dead "${pids[claim]}" || { stopped claim && signal claim CONT; false; }' || die "'claim' should have ended"
    finish claim
    wait "${pids[drain]}"
    unset 'pids[drain]'
    is "$status" 0 "a claim stopped by SIG$signal and continued is had"
    ok 'passes' "... and holds for whoever evals what it printed"
    out=$(text)
    run "$grouplock" release "$(said_value CLAIM)"
    is "$status:$(held_slots)" 0: "... to its release"
done

# --- at any moment -------------------------------------------------------------------------------
cat >bin/kill-early <<'END'
#!/usr/bin/perl
# kill-early SIGNAL COUNT COMMAND...: starts a claim so many times and ends it, each time a little
# later. Who printed all is released; nobody else may hold the slot then. Prints how often it did.
use Fcntl ':flock';
use Time::HiRes qw(time usleep);
my ($signal, $count, @command) = @ARGV;
my ($printed, $leaked) = (0, 0);
sub is_free {
    my $deadline = time + 30;
    do {
        open my $slot, '<', 'locks/hw1/default/slot.0' or return 1;
        return 1 if flock $slot, LOCK_EX | LOCK_NB;
        usleep 10000;
    } while time < $deadline;
    return 0;
}
for my $i (1 .. $count) {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDOUT, '>', 'early.out' or die "early.out: $!";
        exec { $command[0] } @command;
        die "exec: $!";
    }
    usleep 200 * $i;
    kill $signal => $pid or die "kill: $!";
    waitpid $pid, 0;
    open my $out, '<', 'early.out' or next;
    my ($id) = join('', <$out>) =~ /^GROUPLOCK_CLAIM='(\w+)'; export GROUPLOCK_CLAIM\n\z/m;
    if (defined $id) {
        ++$printed;
        system($ENV{grouplock}, 'release', '-q', $id) == 0 or print "no release of $id\n";
    }
    unlink 'early.out';
    next if is_free;
    ++$leaked;
    last;
}
print "leaked $leaked\n";
print STDERR "printed $printed of $count\n";
END
chmod 755 bin/kill-early
for signal in TERM KILL INT; do
    run kill-early $signal 120 "$grouplock" claim -q -g hw1 --pid $$
    is "$out" 'leaked 0' "120 claims, each ended by SIG$signal at another moment: who did not print holds nothing ($err)"
done
is "$(held_slots)" '' "nothing is held"

# --- the record -----------------------------------------------------------------------------------
# What is claimed for an instant only, or for a process that ends just then, must not leave its record
# in a slot that is another's by then: the steps of that one would not pass.
if ! strace -o trace.out true; then
    skip "strace cannot trace here, so that no system call can be held up"
    done_testing
fi
for how in 'whose --max is over' 'whose process has ended' 'that is over at once'; do
    spawn target sleep 150
    options=(--pid "${pids[target]}")
    [[ $how == *process* ]] || options=(--pid 0 --max 0.1)
    [[ $how != *'at once' ]] || options=(--pid 0 --max 0.000000001)
    # The second record, which names the keeper, is held up.
    spawn claim strace -D -qq -o slow.trace -e trace=pwrite64 -e inject=pwrite64:delay_enter=1500000:when=2+ -e signal=none \
        "$grouplock" claim -g hw1 "${options[@]}"
    soon "[[ \$(held_slots) == $claimed ]]" || die "'claim' should have its slot"
    rm -f b.do b.answer
    mkfifo b.do
    spawn b "$grouplock" run -g hw1 -q -- dash bin/build b
    soon 'queued b || [[ -e b.answer ]]' || die "'b' should be in the queue, or have its slot"
    end_by target KILL
    finish claim
    soon '[[ -e b.answer ]]' || die "'b' should have its slot"
    does b '"$grouplock" run -q -g hw1 -n -- echo in'
    is "$status:$out" 0:in "a claim $how before it is told: the next holder has a record of its own"
    like "$(<slow.trace)" 'pwrite64\(.*DELAYED' "... it was held up"
    tell b exit
    finish b
    all_free hw1 default 0 || die "the slot should be free"
done

done_testing
