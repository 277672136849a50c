#!/usr/bin/env bash
# The command is the process that grouplock was started as: same pid and parent,
# same end, and the same surroundings, but for the slot.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END
with=("$grouplock" run -q -g hw1 --)

cat >bin/parent <<'END'
#!/usr/bin/perl
# parent COMMAND...: starts it as its child; prints which process that is, and how it ends.
$| = 1;
my $pid = fork // die "fork: $!";
if ($pid == 0) { exec { $ARGV[0] } @ARGV; die "exec: $!" }
print "pid $pid ppid $$\n";
waitpid $pid, 0;
printf "%s, core %d\n", $? & 127 ? 'signal ' . ($? & 127) : 'exit ' . ($? >> 8), ($? & 128) >> 7;
END
chmod 755 bin/parent

# --- which process it is ----------------------------------------------------------
run parent "${with[@]}" sh -c 'echo "pid $$ ppid $PPID"'
is "$(sed -n 1p <<<"$out")" "$(sed -n 2p <<<"$out")" "the command has the pid that grouplock was started with, and its parent"
hold holder -g hw1
spawn waiter parent "${with[@]}" sh -c 'echo "pid $$ ppid $PPID"'
soon '[[ -s waiter.out ]] && queued_pid "$(cut -d" " -f2 waiter.out)"' || die "the waiter should have queued"
end holder
finish waiter
like "$out" '^pid [0-9]+ ppid [0-9]+'$'\n''pid' "... after a wait too"
is "$(sed -n 1p <<<"$out")" "$(sed -n 2p <<<"$out")" "... the same"

# --- how it ends --------------------------------------------------------------------
# same_end EXPECTED NAME COMMAND...: with and without grouplock.
same_end() {
    local ends=() prefix
    for prefix in '' with; do
        if [[ $prefix ]]; then
            run parent "${with[@]}" "${@:3}"
        else
            run parent "${@:3}"
        fi
        ends+=("$(sed 1d <<<"$out" | paste -sd ' ')$err")
    done
    [[ ${ends[0]} == "$1" && ${ends[1]} == "$1" ]]
    verdict $? "$2" || diag $'expected: '"$1"$'\nwithout:  '"${ends[0]}"$'\nwith:     '"${ends[1]}"
}
for code in 0 1 125 126 127 255; do
    same_end "exit $code, core 0" "exit $code, with grouplock and without" sh -c "exit $code"
done
ulimit -Sc 0
for signal in INT:2 TERM:15 KILL:9 SEGV:11; do
    same_end "signal ${signal#*:}, core 0" "death by SIG${signal%:*}, with grouplock and without" \
        sh -c "kill -${signal%:*} \$\$"
done
ok 'all_free hw1 default 0' "after each of them the slot is free"
ok 'soon no_keepers' "... and no keeper is there"

# --- what it finds ------------------------------------------------------------------
cat >bin/surroundings <<'END'
#!/usr/bin/perl
# surroundings ARGUMENT...: all that a process has from its parent, but for the
# descriptors from 100 up and the variables GROUPLOCK_*.
use Cwd ();
use POSIX ();
sub lines { open my $file, '<', shift or return; return <$file> }
print "arguments: <$_>\n" for @ARGV;
print "directory: ", Cwd::getcwd(), "\n";
print "leads its process group: ", getpgrp == $$ ? 'yes' : 'no', "\n";
my ($session, $terminal, $foreground) = (split ' ', (lines('/proc/self/stat'))[0] =~ s/.*\)//r)[3, 4, 5];
print "session: $session, terminal: $terminal, foreground: $foreground\n";
print "nice: ", POSIX::nice(0), "\n";
print grep /^(?:Umask|[UG]id|Groups|Sig[PBI].*|Shd.*|Cap.*|NoNewPrivs|Seccomp|Threads|Tracer.*|.*_allowed):/,
    lines('/proc/self/status');
print lines('/proc/self/limits');
print "oom_score_adj: ", lines('/proc/self/oom_score_adj');
print "timer slack: ", lines('/proc/self/timerslack_ns');
print map { "$_=$ENV{$_}\n" } grep !/^(?:GROUPLOCK_.*|_)$/, sort keys %ENV;
for my $link (sort glob '/proc/self/fd/*') {
    my $target = readlink $link;
    my ($number) = $link =~ m{(\d+)$};
    # Perl's own: its script, and no more than that.
    next if !defined $target || $number >= 100 || $target =~ m{/bin/surroundings$};
    print "$number ", $target =~ s{/\w+(?=\.(?:out|err)$)}{/...}r, "\n";
}
END
cat >bin/odd-caller <<'END'
#!/usr/bin/perl
# odd-caller COMMAND...: execs it in surroundings of which nothing is the usual.
use POSIX;
umask 0137;
POSIX::nice(3);
$SIG{$_} = 'IGNORE' for qw(HUP CHLD URG TTOU USR1 PIPE);
sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR2, SIGALRM, SIGTSTP)) or die;
$ENV{'odd name'} = "a\nb";
$ENV{EMPTY} = '';
chdir 'odd directory' or die;
$^F = 50;
open my $file, '<', '/dev/zero' or die;
dup2(fileno $file, $_) for 7, 42;
exec { $ARGV[0] } @ARGV;
die "exec: $!";
END
chmod 755 bin/surroundings bin/odd-caller
mkdir 'odd directory'
arguments=('' 'a b' '*' $'new\nline' --help -n '$HOME' $'\xff')
for caller in env odd-caller; do
    run $caller surroundings "${arguments[@]}"
    cp run.out bare
    ok '[[ $(wc -l <bare) -gt 40 && -z $err ]]' "$caller: a command without grouplock"
    run $caller "${with[@]}" surroundings "${arguments[@]}"
    is "$(diff bare run.out)$err" '' "... finds the same with it"
    hold holder -g hw1
    spawn waiter $caller "${with[@]}" surroundings "${arguments[@]}"
    soon 'queued waiter' || die "the waiter should have queued"
    end holder
    finish waiter
    is "$(diff bare waiter.out)$err" '' "... and after a wait"
done
ok 'grep -q "^SigBlk:.*82800$" bare && grep -q ^EMPTY=$ bare && grep -q "^42 /dev/zero" bare' "that was an odd one"

done_testing
