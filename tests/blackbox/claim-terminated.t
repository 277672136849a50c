#!/usr/bin/env bash
# SIGTERM for everybody, as a service manager or a shutdown sends it, ends no claim whose build still runs:
# only release does, the end of the process that it is bound to, and its --max. A claim that is bound to no
# process ends, as a service that is stopped need not wait for it.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0

# all-signals PID [VALUE...]: sends all but SIGKILL and SIGSTOP, with each value as sigqueue(3) does: by number, since
# a C library keeps some for itself.
cat >bin/all-signals <<'END'
#!/usr/bin/env python3
import ctypes
import os
import struct
import sys

NUMBER = {'x86_64': 129, 'aarch64': 138, 'riscv64': 138}[os.uname().machine]
send = ctypes.CDLL(None, use_errno=True).syscall
pid = int(sys.argv[1])
for signal in set(range(1, 65)) - {9, 19}:
    for value in sys.argv[2:]:
        info = struct.pack('iiiiiiQ', signal, 0, -1, 0, os.getpid(), os.getuid(), int(value)).ljust(128, b'\0')
        if send(NUMBER, pid, signal, info):
            sys.exit(os.strerror(ctypes.get_errno()))
END
chmod 755 bin/all-signals

# --- everybody is terminated --------------------------------------------------------------------------
cat >bin/service <<'END'
# service: claims, and takes its time to end when it is terminated.
trap 'echo ending >service.ends; read -r _ <service.go; exit 7' TERM
eval "$("$grouplock" claim -g hw1 $1)" || exit
echo claimed >service.claimed
while :; do sleep 0.1; done
END
mkfifo service.go
for shell in "${shells[@]}"; do
    rm -f service.ends service.claimed
    spawn service "$shell" bin/service
    soon '[[ -e service.claimed ]]' || die "'service' should have claimed"
    keeper=$(keepers)
    queue next -g hw1
    kill -TERM "${pids[service]}" "$keeper"
    soon '[[ -e service.ends ]]' || die "'service' should be ending"
    ok 'still_waits next && ! dead "$keeper"' "$shell: SIGTERM for a script and its keeper: it holds while it ends"
    kill -TERM "$keeper"
    ok 'still_waits next && ! dead "$keeper"' "... also when that comes again"
    is "$(held_slots)" "$claimed" "... the slot is held"
    echo go 1<>service.go
    finish service
    is "$status" 7 "... the script ends"
    ok 'starts next' "... and with it the claim"
    end next
done

# One that is bound by --pid, and one with --max, are bound, too.
for options in '--pid' '--max 1h --pid'; do
    spawn target sleep 150
    # shellcheck disable=SC2086
    run "$grouplock" claim -g hw1 $options "${pids[target]}"
    keeper=$(keepers)
    queue next -g hw1
    kill -TERM "$keeper"
    ok 'still_waits next && ! dead "$keeper"' "SIGTERM does not end a claim with $options"
    end_by target KILL
    ok 'starts next' "... the end of its process does"
    end next
done

# --- bound to nothing ------------------------------------------------------------------------------------
run "$grouplock" claim -g hw1 --pid 0 --max 1h
keeper=$(keepers)
queue next -g hw1
kill -HUP "$keeper"
kill -INT "$keeper"
ok 'still_waits next && ! dead "$keeper"' "bound to no process: other signals do not end it"
kill -TERM "$keeper"
ok 'starts next' "... SIGTERM does"
ok 'soon "dead $keeper"' "... and its keeper with it"
end next

# --- nothing but release ------------------------------------------------------------------------------------
build b dash
claim_in b -g hw1
queue next -g hw1
keeper=$(keeper_of b)
perl -MPOSIX -e 'my $pid = shift; for (1 .. 64) { next if $_ == SIGKILL || $_ == SIGSTOP; kill $_, $pid or die "$_: $!" }' "$keeper" ||
    die "the keeper should have been there"
ok 'still_waits next && ! dead "$keeper"' "all signals but SIGKILL and SIGSTOP: the slot is held"
if all-signals "$keeper" 0 1 2>all.err; then
    ok 'still_waits next && ! dead "$keeper"' "... the same with a value, be it 0 or 1"
else
    skip "no signals with a value here: $(tail -n 1 all.err)"
fi
does b '"$grouplock" run -g hw1 -n -- echo in'
is "$status:$out" 0:in "... and steps pass"
does b '"$grouplock" release'
is "$status:$err" 0: "release finds it among all that is pending"
ok 'starts next' "... and frees the slot"
end next

# A user may have as many signals pending as his limit allows. What cannot be sent is sent again, and then an error.
does b 'unset GROUPLOCK_HELD'
claim_in b -g hw1
queue next -g hw1
keeper=$(keeper_of b)
if prlimit --pid "$keeper" --sigpending=0:100 2>/dev/null; then
    kill -USR1 "$keeper"
    does b '"$grouplock" release'
    if ((status == 0)); then
        ok 'starts next' "no signal may be pending: release ends the claim all the same"
    else
        is "$status:$lines" 1:1 "no signal may be pending: release fails, and says so in one line"
        like "$err" '^grouplock: cannot release claim [0-9a-f]{8}: ' "... which is an error of its own"
        ok 'still_waits next' "... the slot is held"
        tell b '"$grouplock" release'
        prlimit --pid "$keeper" --sigpending=100:100
        answers b || die "'release' should have ended"
        is "$status:$err" 0: "... until one may: a release that is under way succeeds"
        ok 'starts next' "... and the slot is free"
    fi
    end next
else
    skip "no limit of another process can be set here"
    end_by next TERM
fi
tell b exit
finish b

# --- a keeper of an earlier version, which knows nothing but SIGTERM -----------------------------------------
cat >bin/old-keeper <<'END'
#!/usr/bin/perl
# old-keeper SLOT: holds a claim as versions before did.
use Fcntl ':flock';
open my $slot, '+<', shift or die "slot: $!";
flock $slot, LOCK_EX or die "flock: $!";
open my $comm, '>', '/proc/self/comm' or die "comm: $!";
print $comm 'grouplock-keeper';
close $comm;
my ($boot) = `cat /proc/sys/kernel/random/boot_id` =~ /(.*)/;
my ($pidns) = readlink('/proc/self/ns/pid') =~ /(\d+)/;
open my $stat, '<', '/proc/self/stat' or die "stat: $!";
my $start = (split ' ', <$stat> =~ s/.*\)//r)[19];
my $now = time;
syswrite $slot, "grouplock 1\nstate held    \nkind claim\nid 0123456789abcdef0123456789abcdef\nworker w\nhost vm\nboot $boot\n"
    . "pidns $pidns\npid $$\nstart $start\nsince ${now}000000000\ncount 1\nbound 0\nuntil 0\ncommand claim\n\n";
sleep 150 while 1;
END
chmod 755 bin/old-keeper
for option in '' -q; do
    spawn old bash -c 'exec old-keeper "$0"' "locks/$claimed"
    soon "[[ \$(held_slots) == $claimed && \$(grep -c '^id 0123456789abcdef' locks/$claimed) == 1 ]]" || die "'old' should hold"
    # shellcheck disable=SC2086
    run "$grouplock" release $option 01234567
    is "$status:$err" 0: "a claim of an earlier version is released"
    finish old
    is "$status" 143 "... by SIGTERM"
done

done_testing
