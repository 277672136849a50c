#!/usr/bin/env bash
# Who may not wait finds no slot busy whose use has just ended: be it a command's whose pid means nothing here, or
# a claim's whose script has ended. What is held is refused as ever.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
hw2 = 2
END

# A keeper sees an end a little later than others may. On a machine with much else to do that may be longer than
# anybody waits for what he cannot see, unless all of this goes first.
first=()
if chrt -r 1 true 2>/dev/null; then first=(chrt -r 1); fi

cat >bin/late <<'END'
#!/usr/bin/perl
# late COUNT FIRST NEXT: FIRST, a script, has a slot, says `held`, reads a line, ends what it has, and says `ended`
# or ends itself. Its keeper is stopped until then, and goes on when NEXT waits for a lock, if it does not refuse at
# once. Prints how often that was refused.
use IPC::Open2;
use POSIX 'WNOHANG';
my ($count, $first, $next) = @ARGV;
my $refused = 0;
sub soon {
    for (1 .. 3000) { return if $_[0]->(); select undef, undef, undef, 0.01 }
    die "$_[1]: not in time\n";
}
# waits PID: it, or a child of it, is in flock(): a system call that has this number on one of the usual machines.
sub waits {
    open my $children, '<', "/proc/$_[0]/task/$_[0]/children" or return 0;
    for my $pid ($_[0], split ' ', <$children> // '') {
        open my $call, '<', "/proc/$pid/syscall" or next;
        return 1 if (<$call> // '') =~ /^(?:73|143|32) /;
    }
    return 0;
}
for (1 .. $count) {
    my $pid = open2(my $out, my $in, 'sh', '-c', $first);
    my $said = <$out> // '';
    $said eq "held\n" or die "said: $said";
    my @keepers = split ' ', `keepers $ENV{GROUPLOCK_DIR}`;
    @keepers == 1 or die "keepers: @keepers";
    my $keeper = $keepers[0];
    kill STOP => $keeper or die "stop: $!";
    soon(sub { open my $stat, '<', "/proc/$keeper/stat" or die; <$stat> =~ /\) T / }, 'stopped');
    print $in "end\n";
    $in->flush;
    $said = <$out> // '';
    my $child = fork // die "fork: $!";
    if (!$child) { exec 'sh', '-c', "exec $next" or die "exec: $!" }
    my $ended = 0;
    for (1 .. 30000) {
        last if ($ended = waitpid $child, WNOHANG) || waits($child);
        select undef, undef, undef, 0.001;
    }
    my $status = $?;
    kill CONT => $keeper;
    waitpid $child, 0 if !$ended;
    $? = $status if $ended;
    ++$refused if $? >> 8 == 75;
    die "status $?\n" if $? >> 8 != 75 && $?;
    close $in;
    waitpid $pid, 0;
    soon(sub { !-e "/proc/$keeper" || `cat /proc/$keeper/stat` =~ /\) Z / }, 'ended');
}
print "refused $refused\n";
END
chmod 755 bin/late

# --- claims ---------------------------------------------------------------------------------------------------
# The record's process is the keeper; what has ended is the process that it is bound to.
claims='eval "$("$grouplock" claim -q -g hw1 -t 20)"; echo held; read -r line'
for next in '-qn -g hw1' '-q -t 0 -g hw1' '-q -t 0.000001 -g hw1' '-qn -g hw1 -x'; do
    run late 5 "$claims" "\"\$grouplock\" run $next -- true"
    is "$out" 'refused 0' "run $next after a script that had claimed: never refused"
done
run late 5 "$claims" '"$grouplock" claim -qn -g hw1 --pid 0 --max 0.000001 >/dev/null'
is "$out" 'refused 0' "claim -n after a script that had claimed: never refused"
run late 5 'eval "$("$grouplock" claim -q -t 20 -l default=2 -g hw2)"; echo held; read -r line' '"$grouplock" run -qn -c 2 -g hw2 -- true'
is "$out" 'refused 0' "two slots of a script that had claimed both: never refused"
run late 5 "$claims; kill -KILL \$\$" '"$grouplock" run -qn -g hw1 -- true'
is "$out" 'refused 0' "after a script that was killed: never refused"
run late 5 'sleep 100 & eval "$("$grouplock" claim -q -g hw1 -t 20 --pid $!)"; echo held; read -r line
    kill $!; wait $! 2>/dev/null; echo ended; read -r line' '"$grouplock" run -qn -g hw1 -- true'
is "$out" 'refused 0' "after the end of the process that --pid names: never refused"
run late 5 '"$grouplock" run -q -g hw1 -- sh -c "echo held; read -r line"; echo ended; read -r line' '"$grouplock" run -qn -g hw1 -- true'
is "$out" 'refused 0' "after a command, as ever"

build b dash
claim_in b -g hw1
for options in -n '-t 0'; do
    # shellcheck disable=SC2086
    run "$grouplock" run $options -g hw1 -- true
    is "$status" 75 "a claim whose script lives is refused with $options"
done
tell b exit
finish b
all_free hw1 default 0 || die "the slot should be free"
run "$grouplock" claim -g hw1 --pid 0 --max 1h
run "$grouplock" run -n -g hw1 -- true
is "$status" 75 "a claim that is bound to no process, too"
end_claims
all_free hw1 default 0 || die "the slot should be free"

# --- pids that cannot be compared ---------------------------------------------------------------------------------
in_namespace=(unshare --pid --fork --mount-proc)
((EUID == 0)) || in_namespace+=(--user --map-root-user)
cat >bin/contained <<END
#!/bin/sh
exec ${in_namespace[*]} "\$@"
END
# Its /proc shows nothing but pids: neither the boot nor, by what it does not show, the namespace.
cat >bin/blind <<'END'
#!/bin/sh
exec unshare --mount sh -c 'mount -t proc -o subset=pid proc /proc && exec "$@"' sh "$@"
END
cat >bin/holds <<'END'
#!/bin/sh
# holds: a command of run that has its slot as long as `late` wants.
"$grouplock" run -q -g hw1 -t 20 -- sh -c 'echo held; read -r line'
echo ended
read -r line
END
cat >bin/claims <<'END'
#!/bin/sh
# claims: the same of a claim.
sh -c 'eval "$("$grouplock" claim -q -g hw1 -t 20)"; echo held; read -r line'
echo ended
read -r line
END
chmod 755 bin/contained bin/blind bin/holds bin/claims
# Who cannot see whether it is over waits for a moment only, which this machine may take: not each time.
hardly='^refused [012]$'
for where in contained blind; do
    if ((!${#first[@]})); then
        skip "no right to go first, so that a busy machine could be slower than anybody waits"
        continue
    elif ! $where true 2>/dev/null; then
        skip "$where: nothing of the kind can be made here"
        continue
    fi
    for holder in holds claims; do
        # There nobody could tell who a claim's keeper is, so that there is none.
        [[ $holder != claims || $where != blind ]] || continue
        for options in -n '-t 0'; do
            next="\"\$grouplock\" run -q -g hw1 $options -- true"
            run "${first[@]}" late 5 "exec $where $holder" "$next"
            like "$out" "$hardly" "$where, then the host ($holder, $options): not refused"
            run "${first[@]}" late 5 "exec $holder" "$where $next"
            like "$out" "$hardly" "the host, then $where ($holder, $options): not refused"
        done
    done
    run "${first[@]}" late 5 "exec $where holds" "$where \"\$grouplock\" run -q -g hw1 -n -- true"
    like "$out" "$hardly" "$where twice: not refused"

    hold holder -g hw1
    run "$where" "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "what the host holds is refused: $where"
    end holder
    mkfifo "$where.go"
    spawn "$where" "bin/$where" "$grouplock" run -g hw1 -- hold "$where"
    starts "$where" || die "'$where' should hold"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "... and what is held there is refused here"
    echo go 1<>"$where.go"
    finish "$where"
    all_free hw1 default 0 || die "the slot should be free"
done

done_testing
