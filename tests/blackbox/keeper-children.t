#!/usr/bin/env bash
# The keeper is no child that the command's wait() sees: programs that wait for all
# their children behave as they do without grouplock.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END
with=("$grouplock" run -q -g hw1 --)

# stat_of PID INDEX: a field of /proc/PID/stat, counted from the state, which is 1.
stat_of() {
    local line fields
    line=$(<"/proc/$1/stat")
    read -ra fields <<<"${line##*) }"
    echo "${fields[$2 - 1]}"
}

# --- wait() -----------------------------------------------------------------------
cat >bin/childless <<'END'
#!/usr/bin/perl
# childless ID: has no child. Says so before and after a word from the test, and on stderr how
# many SIGCHLD have come.
use POSIX qw(:errno_h :sys_wait_h);
use constant WALL => 0x40000000; # __WALL: children with any exit signal
$| = 1;
my ($id, $signals) = (shift, 0);
$SIG{CHLD} = sub { $signals++ };
sub report {
    my @answers = (wait, map { waitpid -1, $_ | WNOHANG } 0, WUNTRACED, WALL);
    print "$_[0]: @answers", $! == ECHILD ? '' : " $!", "\n";
    print STDERR "$_[0]: $signals\n";
}
open my $go, '+<', "$id.go" or die "$id.go: $!";
report('before');
open my $held, '>', "$id.held" or die "$id.held: $!";
close $held;
my $line;
1 until defined($line = <$go>);
report('after');
exec 'true' if !(my $pid = fork // die "fork: $!");
waitpid $pid, 0;
print STDERR "with a child of its own: $signals\n";
END
chmod 755 bin/childless
holder a "${with[@]}" childless a
kill_keeper a
echo go 1<>a.go
finish a
is "$out" 'before: -1 -1 -1 -1
after: -1 -1 -1 -1' "wait() knows of no child, before and after the keeper's death, not even with __WALL"
is "$err" 'before: 0
after: 0
with a child of its own: 1' "... of which no SIGCHLD tells"
is "$status" 0 "... and the command ends well"
ok 'all_free hw1 default 0' "... and its slot is free"

# Where the caller adopts orphans, as containers' first processes do, the keeper is the command's child after all.
holder a adopting "${with[@]}" childless a
keeper=$(keeper_of a)
is "$(field "$keeper" PPid):$(stat_of "$keeper" 4):$(fds "$keeper" | awk '$1 < 3 { print $2 }' | sort -u)" "${pids[a]}:$keeper:/dev/null" \
    "a command that adopts orphans: the keeper is its child, and else as ever"
kill_keeper a
echo go 1<>a.go
finish a
like "$out" '^before: -1 -1 -1 .*after: -1 -1 -1 ' "... which wait() does not know of either"
ok 'all_free hw1 default 0' "... and its slot is free"
holder a adopting "${with[@]}" leave a
await_daemon a
queue b -g hw1
end a
ok 'starts b' "... it leaves a daemon behind: the keeper frees the slot"
end b
end_daemons
run adopting reap "$grouplock" run -q -g hw1 -- true
is "$out" $'command 0\norphans grouplock-keepe 0 1' "... a subreaper above it reaps the keeper"

# --- with and without ---------------------------------------------------------------
# same NAME COMMAND...: the command prints the same and ends the same, and not in vain.
same() {
    local name=$1 bare
    shift
    run "$@"
    bare=$status:$out$err
    [[ $out ]] || die "$name should have printed something"
    run "${with[@]}" "$@"
    is "$status:$out$err" "$bare" "$name: the same as without grouplock"
}

cat >bin/wait-for-all <<'END'
#!/usr/bin/perl
# Three children, then waits until ECHILD, as a loop or as a signal's handler would.
use POSIX ':errno_h';
for my $code (1 .. 3) {
    my $pid = fork // die "fork: $!";
    exit $code unless $pid;
    $code{$pid} = $code;
}
my @seen;
while ((my $pid = wait) != -1) { push @seen, $code{$pid} . '=' . ($? >> 8) }
print join(' ', sort @seen), $! == ECHILD ? ' ECHILD' : " $!", "\n";
END
chmod 755 bin/wait-for-all
same 'a loop until ECHILD' wait-for-all
is "$out" '1=1 2=2 3=3 ECHILD' "... which waited for three"

same "sh: wait for a job" sh -c 'sh -c "exit 3" & wait $!; echo "status $?"; wait; echo "status $?"'
same "bash: cmd & wait" bash -c 'for i in 1 2 3; do (exit $i) & done; wait; echo "status $?"'
same "bash: wait -n" bash -c '(exit 5) & wait -n; echo "status $?"; wait -n; echo "status $?"'
same "bash: wait with nothing to wait for" bash -c 'wait; echo "status $?"; jobs; echo none'

cat >jobs.mk <<'END'
all: $(foreach i,1 2 3 4 5 6 7 8 9 10 11 12,job-$i)
	@echo all: $(words $^)
job-%:
	@echo $* >$@
END
for command in make 'make -j4'; do
    rm -f job-*
    # shellcheck disable=SC2086 # two words
    same "$command" $command -s -f jobs.mk
    is "$status:$out" '0:all: 12' "... of twelve jobs"
    rm -f job-*
    # shellcheck disable=SC2086
    run "${with[@]}" $command -s -f jobs.mk
    is "$(cat job-* | sort -n | paste -sd ' ')" '1 2 3 4 5 6 7 8 9 10 11 12' "... all of which were done"
done
printf 'fails: ; @exit 3\n' >fails.mk
same "make -j4 of a job that fails" sh -c 'make -s -j4 -f fails.mk; echo "status $?"'
seq 12 >numbers
# shellcheck disable=SC2094
same "xargs -P4" sh -c 'xargs -a numbers -n 1 -P 4 sh -c "exit 0"; echo "status $?"'
same "xargs -P4, one of which fails" sh -c 'xargs -a numbers -n 1 -P 4 sh -c "[ \$0 != 7 ]"; echo "status $?"'
run "${with[@]}" xargs -a numbers -n 1 -P 4 echo
is "$status:$(sort -n run.out | paste -sd ' ')" '0:1 2 3 4 5 6 7 8 9 10 11 12' "xargs -P4 as the command itself runs everything"

# strace waits with __WALL until nobody is left.
if strace -o trace.out true; then
    for options in '' -f; do
        run timeout -s KILL "$patience" "${with[@]}" strace $options -qq -o trace.out sh -c 'true & wait; echo done'
        is "$status:$out$err" 0:done "strace $options as the command: ends with its command"
    done
else
    skip "strace cannot trace here"
fi

# A make that is the command of a make's recipe shares its job server.
cat >outer.mk <<'END'
all:
	+@"$(grouplock)" run -q -g hw1 -- $(MAKE) -s -f jobs.mk
END
rm -f job-*
run make -s -j4 -f outer.mk
is "$status:$out:$err" '0:all: 12:' "make -j4 in a make -j4's recipe: no word about the job server"

done_testing
