#!/usr/bin/env bash
# Without a keeper: under -k, and where Linux has no pidfd_open(2), the slot is held
# until the last process that has it open has ended.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
hw3 = 3
END

# --- held until closed --------------------------------------------------------------------
cat >bin/leave-two <<'END'
#!/bin/sh
# leave-two ID: leaves two daemons behind; ID.1.daemon and ID.2.daemon have their pids.
for n in 1 2; do
    setsid sh -c 'echo $$ >"$1.daemon"; exec sleep 150' daemon "$1.$n" </dev/null >/dev/null 2>&1 &
done
exec hold "$1"
END
chmod 755 bin/leave-two

# closed_last HOW COMMAND...: COMMAND is a run without a keeper, up to its options.
closed_last() {
    local how=$1
    shift
    rm -f a.*.daemon
    holder a "$@" -g hw1 -- leave-two a
    soon '[[ -s a.1.daemon && -s a.2.daemon ]]' || die "there should be two daemons"
    ok 'no_keepers' "$how: no keeper"
    is "$(tr -d '\0' <a.err)" '' "... and not a word"
    ok 'has_open "$(<a.1.daemon)" "$slot" && has_open "$(<a.2.daemon)" "$slot"' "... two daemons have the slot open"
    queue b -g hw1
    end a
    is "$status" 0 "... the command ends"
    ok 'no_keepers && ! slot_free hw1 default 0 && still_waits b' "... the slot is held"
    end_daemon "$(<a.1.daemon)" || die "a daemon should have ended"
    ok '! slot_free hw1 default 0 && still_waits b' "... one daemon ends: held"
    end_daemon "$(<a.2.daemon)" || die "a daemon should have ended"
    ok 'starts b' "... the other ends: the next waiter starts"
    end b

    holder a "$@" -g hw1 -- close-all a
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 0 "... a command that closes all gives its slot up"
    end a

    holder a "$@" -g hw1 -- hold a
    end_by a KILL
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 0 "... one that is killed gives it up at once"

    run "$@" -g hw3 -x -- echo ran
    is "$status:$out:$err" 0:ran: "... several slots"
}

closed_last '-k' "$grouplock" run -k
run "$grouplock" run --keep-until-closed -g hw1 -- sh -c 'exit 3'
is "$status" 3 "--keep-until-closed is -k"
run "$grouplock" run -k -v -g hw1 -- true
unlike "$err" 'no keeper' "-k -v says nothing of a missing keeper"
is "$(grep -vc '^grouplock: ' run.err)" 0 "... and all that it says is grouplock's"
run "$grouplock" run -v -g hw1 -t "$patience" -- true
unlike "$err" 'no keeper' "nor does -v where there is a keeper"
run reap "$grouplock" run -k -g hw1 -- true
is "$out" 'command 0' "-k starts no process"

# A command that becomes a daemon on purpose.
cat >bin/daemonise <<'END'
#!/bin/sh
# daemonise ID: ends as soon as its daemon runs, whose pid ID.daemon has.
setsid sh -c 'echo $$ >"$1.daemon"; exec sleep 150' daemon "$1" </dev/null >/dev/null 2>&1 &
while [ ! -s "$1.daemon" ]; do sleep 0.01; done
END
chmod 755 bin/daemonise
run "$grouplock" run -k -g hw1 -- daemonise a
is "$status:$out:$err" 0:: "-k: a command becomes a daemon"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... which has the slot"
end_daemon "$(<a.daemon)"
run "$grouplock" run -g hw1 -n -- true
is "$status" 0 "... until it ends"
run "$grouplock" run -g hw1 -- daemonise a
run "$grouplock" run -g hw1 -t "$patience" -- true
is "$status" 0 "without -k it has not"
end_daemons

# --- no memory for a copy of the process -------------------------------------------------------
# As vm.overcommit_memory=2 may say, which a test cannot set for itself alone: a filter says it, to the one
# clone(2) that notes a pid and copies the memory.
cat >bin/no-copy <<'END'
#!/usr/bin/env python3
"""no-copy ERROR COMMAND...: execs it where a copy of a process that is to be a keeper fails with ERROR."""
import ctypes
import errno
import os
import platform
import struct
import sys
CLONE = {'x86_64': 56, 'aarch64': 220}[platform.machine()]
CLONE_VM, CLONE_PARENT_SETTID = 0x100, 0x100000
FILTER = [(0x20, 0, 0, 0), (0x15, 0, 4, CLONE),  # the call's number: another one is allowed
          (0x20, 0, 0, 16), (0x54, 0, 0, CLONE_VM | CLONE_PARENT_SETTID), (0x15, 0, 1, CLONE_PARENT_SETTID),
          (0x06, 0, 0, 0x50000 | getattr(errno, sys.argv[1])), (0x06, 0, 0, 0x7fff0000)]
code = b''.join(struct.pack('HBBI', *line) for line in FILTER)
buffer = ctypes.create_string_buffer(code)
class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]
program = Program(len(FILTER), ctypes.addressof(buffer))
libc = ctypes.CDLL(None)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
    sys.exit('no filter')
os.execvp(sys.argv[2], sys.argv[2:])
END
chmod 755 bin/no-copy
case $(uname -m) in
x86_64 | aarch64)
    warning="grouplock: no keeper, since there is no memory for a copy of this process: the slot is held until the last process that inherited it ends, as with -k"
    run no-copy ENOMEM "$grouplock" run -q -g hw1 -- sh -c 'echo ran; exit 3'
    is "$status:$out" 3:ran "no memory for a copy: the command runs"
    is "$err" "$warning" "... and is said to run as under -k, even under -q"
    rm -f a.*.daemon
    holder a no-copy ENOMEM "$grouplock" run -g hw1 -- leave-two a
    ok 'no_keepers' "... no keeper"
    like "$(<"$slot")" $'\nkind keep\n' "... the record says so"
    soon '[[ -s a.1.daemon && -s a.2.daemon ]]' || die "there should be two daemons"
    queue b -g hw1
    end a
    ok '! slot_free hw1 default 0 && still_waits b' "... what the command leaves behind holds the slot"
    if ! end_daemon "$(<a.1.daemon)" || ! end_daemon "$(<a.2.daemon)"; then die "the daemons should have ended"; fi
    ok 'starts b' "... until it ends"
    end b
    run no-copy ENOMEM "$grouplock" claim -g hw1 --pid 0 --max 1h
    is "$status:$out:$err" "125:(exit 125):grouplock: cannot start the keeper: Cannot allocate memory" "a claim is refused"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 0 "... and its slot is free"
    run no-copy EAGAIN "$grouplock" run -q -g hw1 -- touch ran
    refused "too many processes for a copy: a clear error" 'cannot start the keeper'
    ok '[[ ! -e ran ]]' "... the command does not run"
    ;;
*) skip "bin/no-copy does not know this machine's system calls" ;;
esac

# --- system calls that fail -----------------------------------------------------------------
if ! strace -o trace.out true; then
    skip "strace cannot trace here, so that no system call can be made to fail"
    done_testing
fi

# failing SYSCALL ERROR COMMAND...: traced by a process that is not its parent.
cat >bin/failing <<'END'
#!/bin/sh
# failing SYSCALL ERROR COMMAND...
call=$1 error=$2
shift 2
exec strace -D -qq -o failed.trace -e "trace=$call" -e "inject=$call:error=$error" -e signal=none "$@"
END
chmod 755 bin/failing
for error in ENOSYS EPERM; do
    closed_last "pidfd_open fails with $error" failing pidfd_open $error "$grouplock" run
    like "$(<failed.trace)" "pidfd_open\(.*\) += -1 $error .*INJECTED" "... it did fail"
    run failing pidfd_open $error "$grouplock" run -v -g hw1 -- echo ran
    is "$status:$out" 0:ran "... under -v"
    is "$(grep -c '^grouplock: no keeper.*pidfd_open' run.err)" 1 "... it says that there is no keeper, and why"
    is "$(grep -vc '^grouplock: ' run.err)" 0 "... as grouplock"
    run failing pidfd_open $error "$grouplock" run -q -v -k -g hw1 -- true
    unlike "$err" 'no keeper' "... and says no such thing where none is wanted"
done

# What a daemon inherited says that it holds the slot; without a keeper it does, so
# that its own builds pass.
mkfifo a.order
for how in "-k:$grouplock run -k" "no pidfd_open:failing pidfd_open ENOSYS $grouplock run"; do
    # shellcheck disable=SC2086 # words
    holder a ${how#*:} -g hw1 -- leave-builder a
    await_daemon a
    end a
    echo go 1<>a.order
    ok 'soon "grep -q ^status a.daemon.out"' "${how%%:*}: a daemon that has the slot runs a build of its own"
    is "$(<a.daemon.out)" $'ran\nstatus 0' "... under that slot"
    end_daemons
done

# Any other failure is a failure: no command runs that would not be guarded.
while read -r call error word; do
    run failing "$call" "$error" "$grouplock" run -q -g hw1 -- touch ran
    refused "$call fails with $error: a clear error" "$word"
    ok '[[ ! -e ran ]]' "... the command does not run"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 0 "... and the slot is free"
done <<'END'
pidfd_open EMFILE open files
pidfd_open ENOMEM keeper
clone EAGAIN keeper
END
run failing clone EAGAIN "$grouplock" run -q -k -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "-k needs none of that"

done_testing
