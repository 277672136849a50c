#!/usr/bin/env bash
# status: a long queue costs little.
. "$(dirname "$0")/lib.sh"

readonly waiters=1000 milliseconds=50
write_config <<<$'[slots]\nhw1 = 2'
run "$grouplock" run -g hw1 -- true
ulimit -n $((waiters + 100)) || die "cannot have $waiters files open"

# One process has all the tickets and slots, each with a record of its own.
cat >bin/crowd <<'END'
#!/usr/bin/perl
use strict;
use Fcntl ':flock';
my ($count, $place) = (shift, 'locks/hw1/default');
open my $proc, '<', '/proc/self/stat' or die;
my $start = (split ' ', <$proc> =~ s/.*\)//r)[19];
open my $id, '<', '/proc/sys/kernel/random/boot_id' or die;
chomp(my $boot = <$id>);
my $pidns = (stat '/proc/self/ns/pid')[1];
my @held;
sub hold {
    my ($name, $kind) = @_;
    open my $file, '+>', "$place/$name" or die "$name: $!";
    flock $file, LOCK_EX | LOCK_NB or die "$name: $!";
    syswrite $file, "grouplock 1\nstate held    \nkind $kind\nworker worker-$name\nhost vm\nboot $boot\npidns $pidns\n"
        . "pid $$\nstart $start\nsince " . time() . "000000000\ncount 1\ncommand make -j8 $name\n\n";
    push @held, $file;
}
hold("slot.$_", 'run') for 0, 1;
hold("ticket.$_", 'wait') for 1 .. $count;
open my $gate, '+<', "$place/gate" or die;
syswrite $gate, sprintf("%-127s\n", 'grouplock 1 first=1 next=' . ($count + 1) . ' limit=2 top=2');
open my $ready, '>', 'crowd.ready' or die;
sleep 160;
END
chmod 755 bin/crowd
spawn crowd crowd $waiters
soon '[[ -e crowd.ready ]]' || die "the crowd should be there: $(<crowd.err)"

run "$grouplock" status
is "$status:$err" 0: "$waiters waiters"
is "$(awk '$4 == "waiting"' <<<"$out" | wc -l):$(awk '$4 == "held"' <<<"$out" | wc -l)" "$waiters:2" "... are all shown"
is "$(awk '$4 == "waiting" { print $5 }' <<<"$out")" "$(printf 'worker-ticket.%d\n' $(seq $waiters))" "... in their order"
is "$("$grouplock" status -J | jq '.locks[0].waiters | length, last.place' | paste -sd ' ')" "$waiters $waiters" "... in JSON, too"
is "$("$grouplock" status --prometheus | sed -n 's/^grouplock_waiters.* //p')" $waiters "... and counted"

# Programs built to find mistakes are slow.
factor=1
if grep -qE '__(asan|tsan)_init|__gcov_' "$grouplock"; then factor=20; fi

# cpu FORM: the milliseconds of CPU that a look takes. The least of several, since a busy machine
# only ever adds to it.
cat >cpu.py <<'END'
import resource, subprocess, sys
least, enough = None, float(sys.argv[1])
for _ in range(40):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    least = spent if least is None else min(least, spent)
    if least < enough:
        break
print('%d' % least)
END
for form in '' -J --prometheus; do
    limit=$((factor * milliseconds))
    if [[ $form == -J ]]; then ((limit *= 2)); fi
    # shellcheck disable=SC2086 # no form is no argument
    spent=$(python3 cpu.py $limit "$grouplock" status $form)
    ok "((spent < limit))" "status $form: less than $limit ms of CPU"
    diag "$spent ms"
done

# What it asks of the kernel grows as the queue does, and no faster.
calls() {
    ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o calls "$grouplock" status >/dev/null && wc -l <calls
}
if calls >/dev/null; then
    long=$(calls)
    kill -KILL "${pids[crowd]}"
    finish crowd
    rm locks/hw1/default/ticket.*
    short=$(calls)
    ok "((long - short < 10 * waiters))" "each waiter costs less than ten system calls"
    diag "$long with $waiters waiters, $short with none"
else
    skip "strace cannot trace here"
fi

done_testing
