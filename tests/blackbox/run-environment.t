#!/usr/bin/env bash
# run: the command finds itself as if the caller had started it.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
[slots my-lock.2]
* = 1
END

# All that a process inherits and that can be seen; but not what grouplock adds. Not
# a shell script: shells have ideas of their own about signals.
cat >bin/surroundings <<'END'
#!/usr/bin/perl
use strict;
use Cwd;

sub lines { open my $file, '<', "/proc/self/$_[0]" or die "$_[0]: $!"; return <$file> }

print "cwd ", getcwd, "\n";
printf "umask %04o\n", umask;
print grep /^(Sig(Blk|Ign)|ShdPnd|Cpus_allowed|Mems_allowed|NoNewPrivs|Seccomp|Groups|Uid|Gid|Cap...):/, lines 'status';
print lines('limits'), lines('oom_score_adj'), lines('timerslack_ns');
my ($parent, $group, $session, $terminal) = (split ' ', join('', lines 'stat') =~ s/.*\)//sr)[1 .. 4];
print "parent $parent session $session terminal $terminal nice ", getpriority(0, 0), "\n";
print "leads its group\n" if $group == $$;
print "descriptor $_\n" for sort { $a <=> $b } grep { $_ < 100 && -e "/proc/self/fd/$_" } 0 .. 99;
print "$_=$ENV{$_}\n" for sort grep { !/^GROUPLOCK_(WORKER|GROUP|SLOT|SLOT_DEFAULT|HELD)$/ } keys %ENV;
END
chmod 755 bin/surroundings

# Callers of many kinds, each of which then execs its arguments.
mkdir -p elsewhere
callers=(plain ignoring blocking limited odd)
plain() { exec "$@"; }
# Each signal that can be.
ignoring() {
    exec perl -MConfig -e '
        $SIG{$_} = "IGNORE" for grep !/^(ZERO|KILL|STOP|NUM\d+|RT.*|CLD|IOT|POLL|UNUSED)$/, split " ", $Config{sig_name};
        exec { $ARGV[0] } @ARGV or die' "$@"
}
blocking() {
    exec perl -MPOSIX -e '
        sigprocmask(SIG_BLOCK, POSIX::SigSet->new(1 .. 31, 34 .. 64)) or die;
        exec { $ARGV[0] } @ARGV or die' "$@"
}
limited() {
    ulimit -S -n 256
    ulimit -H -n 512
    ulimit -c 0
    ulimit -S -s 4096
    ulimit -t 100
    exec "$@"
}
odd() {
    cd elsewhere || exit 1
    umask 0027
    exec nice -n 5 env LANG=xx_XX A='b c' GROUPLOCK_OTHER=mine EMPTY= "$@" 7</dev/null
}

for caller in "${callers[@]}"; do
    run "$caller" surroundings
    bare=$out
    ok '(($(wc -l <run.out) > 25))' "surroundings of a caller who is $caller"
    run "$caller" "$grouplock" run -g "$caller" -- surroundings
    is "$out" "$bare" "... are the same under grouplock"
    hold holder -g "$caller"
    spawn waiter "$caller" "$grouplock" run -q -g "$caller" -- surroundings
    soon 'queued waiter' || die "'$caller' should have queued"
    end holder
    finish waiter
    is "$out" "$bare" "... and after a wait"
done

# The process is the caller's own.
run sh -c 'echo $$; exec "$grouplock" run -g hw1 -- sh -c "echo \$\$"'
is "$(sed -n 1p run.out)" "$(sed -n 2p run.out)" "the command has grouplock's pid"
spawn reader sh -c 'echo from stdin | "$grouplock" run -g hw1 -- cat'
finish reader
is "$out" 'from stdin' "the command has the caller's stdin"
run "$grouplock" run -g hw1 -- sh -c 'echo to stdout; echo to stderr >&2'
is "$out/$err" 'to stdout/to stderr' "the command has the caller's stdout and stderr"
run "$grouplock" run -g hw1 -- sh -c 'readlink /proc/$$/fd/* | grep -n slot.0$; ls /proc/$$/fd'
like "$out" "$dir/locks/hw1/default/slot\.0" "the slot is open in the command"
like "$out" $'\n1[0-9][0-9]($|\n)' "... on 100 or above"
run "$grouplock" run -g hw1 -- cat "/proc/self/comm"
is "$out" cat "the process is the command, and no wrapper"
run "$grouplock" run -g hw1 -- sh -c 'tr "\0" "|" </proc/$$/cmdline' argument-0 ''
like "$out" '\|argument-0\|\|$' "the command's arguments are its own"

# What grouplock adds.
run "$grouplock" run -w W1 -g HW1 -- sh -c 'env | grep ^GROUPLOCK_ | sort'
held=$(sed -n 's/^GROUPLOCK_HELD=//p' run.out)
is "$(grep -v '^GROUPLOCK_HELD=' run.out)" "GROUPLOCK_CONFIG=$dir/groups.ini
GROUPLOCK_DIR=$dir/locks
GROUPLOCK_GROUP=hw1
GROUPLOCK_SLOT=0
GROUPLOCK_SLOT_DEFAULT=0
GROUPLOCK_WORKER=w1" "GROUPLOCK_WORKER, _GROUP, _SLOT, _SLOT_DEFAULT"
like "$held" '^hw1/default/slot\.0=[0-9a-f]{16,}$' "GROUPLOCK_HELD"
run "$grouplock" run -w w1 -g hw1 -- printenv GROUPLOCK_HELD
unlike "$out" "^$held\$" "... has another ID each time"
unlike "$(tr -d '\0' <locks/hw1/default/slot.0)" "${held#*=}" "... which no file tells"
run "$grouplock" run -g hw1 -l my-lock.2 -- sh -c 'env | grep ^GROUPLOCK_SLOT | sort'
is "$out" $'GROUPLOCK_SLOT=0\nGROUPLOCK_SLOT_MY_LOCK_2=0' "a lock's name as a variable's"
run env GROUPLOCK_WORKER=w1 GROUPLOCK_GROUP=old GROUPLOCK_SLOT=old GROUPLOCK_SLOT_DEFAULT=old \
    "$grouplock" run -w w2 -- sh -c 'tr "\0" "\n" </proc/$$/environ | grep -E "^GROUPLOCK_(WORKER|GROUP|SLOT)" | sort'
is "$out" "GROUPLOCK_GROUP=w2
GROUPLOCK_SLOT=0
GROUPLOCK_SLOT_DEFAULT=0
GROUPLOCK_WORKER=w2" "what was set before is replaced, and there once"

done_testing
