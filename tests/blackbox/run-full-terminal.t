#!/usr/bin/env bash
# What is said holds nothing up: neither a terminal that is full, nor a reader that is gone. And what the caller has
# given us, descriptors and signals, the command gets as it was.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END

cat >bin/on-full <<'END'
#!/usr/bin/env python3
"""on-full NAME KIND ROOM COMMAND...: becomes COMMAND, whose stderr is full but for ROOM bytes, and that nobody reads.

KIND is terminal, pipe or socket. NAME.flags gets, at each line that comes through NAME.ask, the flags of stderr.
"""
import fcntl
import os
import pty
import select
import socket
import sys


name, kind, room, *command = sys.argv[1:]
if kind == 'terminal':
    reader, writer = pty.openpty()
    own = os.open(os.ttyname(writer), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
elif kind == 'pipe':
    reader, writer = os.pipe()
    own = os.open('/proc/self/fd/%d' % writer, os.O_WRONLY | os.O_NONBLOCK)
else:
    pair = socket.socketpair()
    reader, writer = (end.detach() for end in pair)
    own = None


def fill(size):
    if own is None:
        with socket.socket(fileno=os.dup(writer)) as end:
            return end.send(b'x' * size, socket.MSG_DONTWAIT)
    return os.write(own, b'x' * size)


def fill_up():
    for size in (4096, 64, 1):
        try:
            while True:
                fill(size)
        except BlockingIOError:
            pass


def drain(size):
    while size > 0 and select.select([reader], [], [], 0)[0]:
        size -= len(os.read(reader, size))


fill_up()
drain(int(room))
pid = os.fork()
if pid == 0:
    os.dup2(writer, 2)
    os.execvp(command[0], command)
open(name + '.full', 'w').close()
while os.waitpid(pid, os.WNOHANG) == (0, 0):
    with open(name + '.flags.new', 'w') as file:
        file.write('%o' % (fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK))
    os.replace(name + '.flags.new', name + '.flags')
    select.select([], [], [], 0.01)
END
chmod 755 bin/on-full

# --- full ------------------------------------------------------------------------------------------------
# A line is longer than what is left: of the command that holds it tells.
long=$(printf 'x%.0s' {1..200})
# start_waiter KIND ROOM OPTION... -- COMMAND...: 'waiter' queues behind 'holder', its stderr as on-full has it.
start_waiter() {
    local kind=$1 room=$2
    shift 2
    rm -f waiter.held waiter.go waiter.flags
    mkfifo waiter.go
    hold holder -g hw1 -w "$long"
    spawn waiter on-full waiter "$kind" "$room" "$grouplock" run -g hw1 -w "waiter-$long" "$@"
    # It sleeps in the queue, unless it hangs before.
    soon '[[ $(pgrep -P "${pids[waiter]}") ]] && queued_pid "$(pgrep -P "${pids[waiter]}")"' || die "the waiter should have queued"
}
while read -r kind room; do
    start_waiter "$kind" "$room" --heartbeat 0.05 -v -- hold waiter
    queue behind -g hw1 --heartbeat 0.05
    ok 'lives_on behind 3' "$kind with room for $room bytes: others go on beside who waits there"
    is "$(<waiter.flags)" 0 "... it is not made to be one that does not block"
    end holder
    ok 'starts waiter' "... the slot's end starts the command"
    echo go 1<>waiter.go
    finish waiter
    ok 'starts behind' "... and its end the next one"
    end behind
done <<'END'
terminal 0
terminal 700
pipe 100
socket 700
END

# What is said of a command that cannot be started, too: who cannot say it need not keep the slot meanwhile.
start_waiter terminal 0 -q -- /
queue next -g hw1 -q
end holder
ok 'starts next' "a command that cannot be started, which cannot be said, keeps no slot"
end next
finish waiter

# --- a reader that is gone --------------------------------------------------------------------------------
cat >bin/unread <<'END'
#!/usr/bin/perl
# unread DISPOSITION COMMAND...: becomes COMMAND, whose stderr is a pipe that nobody reads, with that of SIGPIPE.
use POSIX;
$SIG{PIPE} = shift;
my ($reader, $writer) = POSIX::pipe();
POSIX::dup2($writer, 2);
POSIX::close($_) for $reader, $writer;
exec @ARGV;
END
cat >bin/tells-signals <<'END'
#!/bin/sh
# tells-signals FILE: what was ignored and blocked when this was started.
grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status >"$1"
END
chmod 755 bin/unread bin/tells-signals
for disposition in DEFAULT IGNORE; do
    run unread $disposition tells-signals expected
    hold holder -g hw1
    rm -f told
    spawn waiter unread $disposition "$grouplock" run -g hw1 --heartbeat 0.02 -- tells-signals told
    soon 'queued waiter || [[ ! -e /proc/${pids[waiter]}/fd/0 ]]' || die "the waiter should have queued"
    queue behind -g hw1 --heartbeat 0.05
    ok 'lives_on behind 4 && queued waiter' "SIGPIPE $disposition: who waits goes on though nobody reads what it says"
    end holder
    finish waiter
    is "$status" 0 "... and its command runs"
    is "$(<told)" "$(<expected)" "... with the signals as the caller had them"
    ok 'starts behind' "... then the next"
    end behind

    # Ends when its caller has, too: whoever asked for this is no more.
    hold holder -g hw1
    mkfifo caller.go
    spawn caller sh -c 'unread "$0" "$@" & echo $! >waiter.pid; read -r _ <caller.go' $disposition "$grouplock" run -g hw1 --heartbeat 0.05 -- touch ran
    soon '[[ -s waiter.pid ]] && queued_pid "$(<waiter.pid)"' || die "the waiter should have queued"
    queue behind -g hw1 --heartbeat 0.05
    ok 'lives_on behind 4 && queued_pid "$(<waiter.pid)"' "... nobody reads, and the caller lives: it waits on"
    echo go 1<>caller.go
    finish caller
    ok 'soon "dead $(<waiter.pid)"' "... the caller ends: it leaves the queue"
    end holder
    ok 'starts behind' "... the next one starts"
    ok '[[ ! -e ran ]]' "... and its command has not run"
    end behind
    rm -f waiter.pid caller.go

    # One of the two is not enough.
    hold holder -g hw1
    mkfifo caller.go
    rm -f ran
    spawn caller sh -c '"$grouplock" run -g hw1 --heartbeat 0.05 -- touch ran 2>waiter.log & echo $! >waiter.pid; read -r _ <caller.go'
    soon '[[ -s waiter.pid ]] && queued_pid "$(<waiter.pid)"' || die "the waiter should have queued"
    queue behind -g hw1 --heartbeat 0.05
    echo go 1<>caller.go
    finish caller
    ok 'lives_on behind 4 && queued_pid "$(<waiter.pid)"' "the caller ends, and stderr is a file: it waits on"
    end holder
    ok 'soon "[[ -e ran ]]"' "... and its command runs"
    starts behind || die "'behind' should have started"
    end behind
    rm -f waiter.pid caller.go ran
done

done_testing
