# shellcheck shell=bash
# What the tests of the keeper share, on top of lib.sh: keepers, the daemons that
# commands leave behind, and commands that do more than `hold`.
# shellcheck disable=SC2034 # much is for the tests only
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

here=$(pwd -P)  # $dir as /proc shows it
slot=locks/hw1/default/slot.0

# --- processes ----------------------------------------------------------------

# field PID NAME: a line of /proc/PID/status, without the name.
field() {
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" 2>/dev/null
}

# dead PID: it has ended, reaped or not.
dead() {
    case $(field "$1" State) in '' | Z*) ;; *) false ;; esac
}

# has_open PID FILE: FILE, a path in the test's directory, is among its fds.
has_open() {
    [[ -n $(find "/proc/$1/fd" -lname "$here/$2" 2>/dev/null) ]]
}

# fds PID: its descriptors, one `NUMBER TARGET` a line, in order.
fds() {
    find "/proc/$1/fd" -type l -printf '%f %l\n' | sort -n
}

# linked_statically: the program needs nothing of the dynamic loader.
linked_statically() {
    ! ldd "$grouplock" >/dev/null 2>&1
}

# --- keepers ------------------------------------------------------------------

# One process that looks at all: on a busy machine each costs its time.
cat >bin/keepers <<'END'
#!/usr/bin/perl
# keepers DIRECTORY [PID]: the pids of the keepers with a file in there open, and with a pidfd of PID.
my ($directory, $command) = @ARGV;
sub has_pidfd {
    my ($pidfd) = grep { (readlink // '') eq 'anon_inode:[pidfd]' } @_ or return;
    open my $info, '<', $pidfd =~ s/fd/fdinfo/r or return;
    return grep { /^Pid:\s*$command$/ } <$info>;
}
for my $comm (glob '/proc/[0-9]*/comm') {
    open my $file, '<', $comm or next;
    next unless (<$file> // '') eq "grouplock-keepe\n";
    my ($process) = $comm =~ m{(.*)/comm};
    my @fds = glob "$process/fd/*";
    next unless grep { index(readlink // '', "$directory/") == 0 } @fds;
    next if defined $command && !has_pidfd(@fds);
    print $process =~ s{.*/}{}r, "\n";
}
END
chmod 755 bin/keepers

# keepers [PID]: the pids of all keepers that hold slots in the test's directory (for the process PID).
keepers() {
    command keepers "$here/locks" "$@"
}

# keeper_of NAME: the pid of the keeper that NAME's process has, if it has one. The last thing it does before it sleeps
# is to begin a session.
keeper_of() {
    local pid
    pid=$(keepers "${pids[$1]}")
    [[ ! $pid ]] || soon "[[ ! -e /proc/$pid || \$(ps -o sid= -p $pid) -eq $pid ]]"
    echo "$pid"
}

# no_keepers
no_keepers() {
    [[ -z $(keepers) ]]
}

# kill_keeper NAME: by SIGKILL, and waits until it is dead.
kill_keeper() {
    local keeper
    keeper=$(keeper_of "$1")
    [[ -n $keeper ]] || die "'$1' should have a keeper"
    kill -KILL "$keeper"
    soon "dead $keeper" || die "the keeper of '$1' should be dead"
}

# --- commands -----------------------------------------------------------------
# All of them end as `hold` does, by lib.sh's end.

cat >bin/leave <<'END'
#!/bin/sh
# leave ID: starts a daemon with a session of its own and leaves it behind. ID.daemon has its pid.
setsid sh -c 'echo $$ >"$1.daemon"; exec sleep 150' daemon "$1" </dev/null >/dev/null 2>&1 &
exec hold "$1"
END

cat >bin/leave-builder <<'END'
#!/bin/sh
# leave-builder ID: as leave, but the daemon runs a build of its own, with the environment that it
# inherited, when it is told by ID.order. ID.daemon.out says how that ended.
setsid sh -c 'echo $$ >"$1.daemon"; read -r _ <"$1.order"
    "$grouplock" run -g hw1 -n -- echo ran; echo "status $?"; exec sleep 150' daemon "$1" \
    </dev/null >"$1.daemon.out" 2>"$1.daemon.err" &
exec hold "$1"
END

cat >bin/close-all <<'END'
#!/usr/bin/perl
# close-all ID: closes all descriptors but 0, 1 and 2, as ssh and doas do.
use POSIX ();
my $id = shift;
sub note {
    open my $file, '>>', 'trace' or die "trace: $!";
    print $file "$_[0] $id\n";
}
open STDIN, '+<', "$id.go" or die "$id.go: $!";
POSIX::close($_) for 3 .. 4096;
note('start');
open my $held, '>', "$id.held" or die "$id.held: $!";
close $held;
<STDIN>;
note('end');
END
chmod 755 bin/leave bin/leave-builder bin/close-all

# holder NAME COMMAND...: COMMAND is, or execs, a `run` of `hold NAME` or a
# command like it. Waits until that runs.
holder() {
    rm -f "$1.held" "$1.go" "$1.daemon"
    mkfifo "$1.go"
    spawn "$@"
    starts "$1" || die "'$1' should have started"
}

# await_daemon NAME: NAME's command has started its daemon; sets $daemon.
await_daemon() {
    soon "[[ -s $1.daemon ]]" || die "'$1' should have started a daemon"
    daemon=$(<"$1.daemon")
}

# leaver NAME [RUN-OPTION...]: a holder that leaves a daemon behind; sets $daemon.
leaver() {
    holder "$1" "$grouplock" run "${@:2}" -- leave "$1"
    await_daemon "$1"
}

# end_daemon PID
end_daemon() {
    if [[ $(readlink "/proc/$1/cwd") == "$here" ]]; then kill -KILL "$1"; fi
    soon "dead $1"
}

end_daemons() {
    local file
    for file in *.daemon; do
        if [[ -s $file ]]; then end_daemon "$(<"$file")"; fi
    done
} 2>/dev/null
trap 'end_daemons; cleanup' EXIT

cat >bin/reap <<'END'
#!/usr/bin/env python3
# reap COMMAND...: runs it as the process that adopts orphans, as init does. When
# all have ended, prints what an ordinary wait() says of them: one line for the
# command, and one for every NAME and end of orphans, with their number.
import collections
import ctypes
import os
import sys

PR_SET_CHILD_SUBREAPER = 36
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
    sys.exit('prctl: ' + os.strerror(ctypes.get_errno()))
command = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
orphans = collections.Counter()
while True:
    try:
        pid = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
    except ChildProcessError:
        break
    with open('/proc/%d/comm' % pid) as file:
        name = file.read().strip()
    status = os.waitpid(pid, 0)[1]
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    if pid == command:
        print('command', code)
    else:
        orphans[name, code] += 1
for (name, code), count in sorted(orphans.items()):
    print('orphans', name, code, count)
END
chmod 755 bin/reap

cat >bin/adopting <<'END'
#!/usr/bin/env python3
"""adopting COMMAND...: execs it as a child subreaper."""
import ctypes
import os
import sys
PR_SET_CHILD_SUBREAPER = 36
if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
    sys.exit('prctl failed')
os.execvp(sys.argv[1], sys.argv[1:])
END
chmod 755 bin/adopting

# reaped COUNT: what bin/reap says of a command that went well and of so many keepers that did.
reaped() {
    printf 'command 0\norphans grouplock-keepe 0 %d' "$1"
}
