#!/usr/bin/env bash
# claim --pid: bound to the process named; which must be there, and still be there when the
# slot comes. With --pid 0 the claim is bound to none, and needs --max.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0

# sleeper NAME: a process to bind to.
sleeper() {
    spawn "$1" sleep 150
}

# --- a process that is there ------------------------------------------------------------
for how in KILL TERM; do
    sleeper target
    run "$grouplock" claim -g hw1 --pid "${pids[target]}"
    is "$status:$err" 0: "--pid: a claim for another process"
    is "$(held_slots)" "$claimed" "... which holds the slot"
    is "$(keeper_of target)" "$(keepers)" "... and is watched by the keeper"
    queue next -g hw1
    ok 'still_waits next' "... others wait"
    end_by target "$how"
    ok 'starts next' "... until it has ended by SIG$how"
    end next
done
sleeper target
run "$grouplock" claim -g hw1 --pid=1 --pid="${pids[target]}"
is "$status:$(keeper_of target)" "0:$(keepers)" "of two --pid the last one counts"
end_by target KILL
all_free hw1 default 0

build b dash
claim_in b -g hw1 --pid '$$'
bound "--pid \$\$"
tell b exit
finish b
run sh -c '"$grouplock" claim -g hw1 --pid $PPID'
is "$status:$(bound_pid "$(keepers)")" "0:$$" "--pid \$PPID: the parent of a script"
run "$grouplock" release "$(said_value CLAIM)"
is "$status" 0 "... released"
run "$grouplock" claim -g hw1 --pid 1
is "$status:$(bound_pid "$(keepers)")" "0:1" "--pid 1: to the end of the system"
run "$grouplock" release "$(said_value CLAIM)"
is "$status" 0 "... or its release"

# Of another user: who may watch a process may not do anything to it.
if ((EUID == 0)); then
    spawn target setpriv --reuid 65534 --regid 65534 --clear-groups sleep 150
    soon '[[ $(field "${pids[target]}" Uid) == 65534* ]]' || die "'target' should be another user's"
    run "$grouplock" claim -g hw1 --pid "${pids[target]}"
    is "$status:$(held_slots)" "0:$claimed" "--pid: another user's process"
    end_by target KILL
    ok 'all_free hw1 default 0' "... to its end"
    chmod 777 .
    fresh_locks 0777
    chmod 644 groups.ini
    install -m 755 "$grouplock" bin/grouplock
    sleeper target
    run setpriv --reuid 65534 --regid 65534 --clear-groups bin/grouplock claim -g hw1 --pid "${pids[target]}"
    is "$status:$(held_slots)" "0:$claimed" "--pid: a process of root's, for another user"
    ok '! dead "${pids[target]}"' "... which lives on"
    end_by target KILL
    ok 'all_free hw1 default 0' "... to its end"
    fresh_locks
else
    skip "not root: cannot start another user's processes"
fi

# --- no process ---------------------------------------------------------------------------
for pid in x '' ' ' -1 +1 1x ' 1' '1 ' 0x10 1.5 1e3 '$$' 2147483648 4294967297 18446744073709551617 99999999999999999999; do
    run "$grouplock" claim -g hw1 --pid "$pid"
    bad_claim "--pid '$pid'" --pid "'$pid'"
done
# A pid is less than the limit that this file has.
for pid in "$(</proc/sys/kernel/pid_max)" 2147483647; do
    run "$grouplock" claim -g hw1 --pid "$pid"
    bad_claim "--pid $pid: no such process" "$pid"
done
sleeper target
pid=${pids[target]}
end_by target KILL
run "$grouplock" claim -g hw1 --pid "$pid"
bad_claim "--pid of a process that has ended" "$pid"
build b bash
does b "$(claiming -g hw1 --pid "$pid"); echo went on"
is "$out" 'went on' "... in a script"
does b "$(claiming -g hw1 --pid "$pid") || echo otherwise \$?"
is "$out" 'otherwise 125' "... which finds it"
tell b exit
finish b

# One that nobody has waited for yet.
cat >bin/zombie <<'END'
#!/usr/bin/perl
# zombie: has a child that has ended; zombie.pid has its pid.
my $pid = fork // die "fork: $!";
exit unless $pid;
open my $file, '>', 'zombie.new' or die "zombie.new: $!";
print $file "$pid\n";
close $file;
rename 'zombie.new', 'zombie.pid' or die "rename: $!";
sleep 150;
END
chmod 755 bin/zombie
spawn zombie zombie
soon '[[ -e zombie.pid && $(field "$(<zombie.pid)" State) == Z* ]]' || die "there should be a zombie"
run "$grouplock" claim -g hw1 --pid "$(<zombie.pid)"
bad_claim "--pid of a zombie" "$(<zombie.pid)" ended
end_by zombie KILL

# A thread that is not the first of its process is none.
cat >bin/threads <<'END'
#!/usr/bin/env python3
"""threads: has a second thread; threads.tid has its id."""
import os
import threading
import time


def second():
    with open('threads.new', 'w') as file:
        file.write('%d\n' % threading.get_native_id())
    os.rename('threads.new', 'threads.tid')
    time.sleep(150)


threading.Thread(target=second).start()
END
chmod 755 bin/threads
spawn threads threads
soon '[[ -e threads.tid ]]' || die "there should be a second thread"
run "$grouplock" claim -g hw1 --pid "$(<threads.tid)"
bad_claim "--pid of a thread" "$(<threads.tid)"
end_by threads KILL

# One that cannot be seen.
own_pids=(unshare --pid --fork --mount-proc)
((UID == 0)) || own_pids+=(--user --map-root-user)
if "${own_pids[@]}" true 2>/dev/null; then
    sleeper target
    run "${own_pids[@]}" "$grouplock" claim -g hw1 --pid "${pids[target]}"
    bad_claim "--pid of a process out of a PID namespace" "${pids[target]}"
    end_by target KILL
    run "${own_pids[@]}" "$grouplock" claim -g hw1
    bad_claim "a caller out of the PID namespace" 'outside this PID namespace' --pid
    run "${own_pids[@]}" sh -c "$(claiming -g hw1); \"\$grouplock\" run -g hw1 -n -- echo in"
    is "$status:$out" 0:in "in a PID namespace a script claims as anywhere"
    ok 'all_free hw1 default 0' "... to its end"
else
    skip "no PID namespaces here"
fi

# --- gone while waiting --------------------------------------------------------------------
hold holder -g hw1
sleeper target
spawn claim "$grouplock" claim -g hw1 --pid "${pids[target]}" --heartbeat 0
soon 'queued claim' || die "'claim' should have queued"
queue next -g hw1
pid=${pids[target]}
end_by target KILL
end holder
finish claim
is "$status:$out" '125:(exit 125)' "a process that has ended while the claim waited: 125"
like "$(tail -n 1 claim.err)" "^grouplock: process $pid, .* has ended\$" "... and it says why"
ok 'starts next' "... the slot is the next one's"
end next
is "$(held_slots)" '' "... and nobody's then"

# The script itself, its claim being left in the queue.
hold holder -g hw1
build b dash
queue_claim b -g hw1
queue next -g hw1
end_by b KILL
end holder
ok 'starts next' "a script that was killed while its claim waited has no turn"
end next
ok 'all_free hw1 default 0' "... and nothing"

# --- pid 0 -----------------------------------------------------------------------------------
run "$grouplock" claim -g hw1 --pid 0
bad_claim "--pid 0 without --max" '--pid 0' --max
cat >bin/starter <<'END'
#!/bin/sh
# starter: claims and ends, with all its process group.
"$grouplock" claim -g hw1 --pid 0 --max 1h >starter.env
kill -KILL 0
END
chmod 755 bin/starter
spawn starter starter
finish starter
is "$status:$(held_slots)" "137:$claimed" "--pid 0: who claimed is gone, and so is its process group"
keeper=$(keepers)
is "$(fds "$keeper" | grep -c pidfd)" 0 "... no process is watched"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... the slot is held"
run sh -c '. ./starter.env; "$grouplock" run -g hw1 -n -- echo in'
is "$status:$out" 0:in "... a step that has the variables passes"
run sh -c '. ./starter.env; "$grouplock" release'
is "$status:$err:$(held_slots)" 0:: "... and a release ends it"

done_testing
