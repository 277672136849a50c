#!/usr/bin/env bash
# check: the proof that a lock excludes, makes wait and wakes, where it does not;
# and that the proof leaves nothing behind and never hangs.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END

# A process that is traced cannot look for its leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0

# spoilt WHAT: check, while strace makes flock() calls do what they should not.
# The first process calls it with LOCK_EX|LOCK_NB, LOCK_UN and LOCK_EX|LOCK_NB;
# the second with LOCK_EX|LOCK_NB, LOCK_SH|LOCK_NB and LOCK_EX. Calls are counted
# for each process alone.
spoilt() {
    run strace -f -qq -o calls -e trace=flock -e "inject=flock:$1" "$grouplock" check
    ok 'grep -q INJECTED calls' "... strace did its part" || diag "$err"
    is "$(ls -A locks)" '' "... and nothing is left"
}

# finds REGEX NAME: status 1, and the line about locks is this one and no other.
finds() {
    local lines
    lines=$(grep -E '^(ok|error): (a lock|locks|cannot lock|a process|a second|the lock)' run.out | grep -v '^ok: a lock excludes')
    [[ $status == 1 && $lines =~ ^error:\ $1 && $lines != *$'\n'* ]]
    verdict $? "$2" || diag "status $status, expected: $1" "$out"
}

# --- locks that are none ------------------------------------------------------
spoilt retval=0:when=1
finds 'locks do not exclude here: .*; use a directory on another file system' "a lock that is given to two"
spoilt retval=0:when=2
finds 'locks do not exclude here: ' "a lock that is shared with the one who has it"
spoilt retval=0:when=3
finds 'locks do not block here: ' "a lock that is given to who waits for it"
spoilt error=ENOLCK
finds "cannot lock '.*/\.check-.*': the file system offers no flock\(2\)" "a file system out of locks"
spoilt error=EOPNOTSUPP
finds "cannot lock '.*/\.check-.*': the file system offers no flock\(2\)" "a file system without locks"
spoilt error=ENOLCK:when=3
finds "cannot lock '.*/\.check-.*': the file system offers no flock\(2\)" "a file system that is out of locks for the second"
spoilt error=EACCES:when=2
finds 'a process that waits for a lock was not woken in the 10 seconds after' "a lock that wakes nobody"

# --- what is not a failure ----------------------------------------------------
run strace -f -qq -o calls -e trace=flock -e inject=flock:error=EINTR:when=3 "$grouplock" check
is "$status" 0 "a wait that a signal interrupts is taken up again"
run sh -c 'trap "" CHLD; exec "$grouplock" check'
is "$status" 0 "a caller that ignores SIGCHLD"

# --- it is interrupted --------------------------------------------------------
# The second process waits and is not woken; the first one waits for that.
# started: check is in the middle of the proof, its pid in $main.
started() {
    spawn check strace -f -qq -o calls -e trace=flock -e inject=flock:error=EACCES:when=2 "$grouplock" check
    soon 'probe=$(echo locks/.check-*); [[ -e $probe ]]' || die "there should be a file"
    soon 'inode=$(stat -c %i "$probe"); grep -Eq -- "-> FLOCK .*:$inode " /proc/locks' || die "there should be a waiter"
    main=$(ps -o pid= --ppid "${pids[check]}")
}

for signal in INT TERM HUP KILL; do
    started
    kill -s "$signal" "$main"
    ok 'soon "[[ ! -e \$probe ]]"' "check ended by SIG$signal: the file is removed all the same"
    finish check 2>/dev/null
    is "$(ls -A locks)" '' "... and nothing is left"
done

# --- the file system does not answer ------------------------------------------
# A FUSE file system whose program never reads its requests.
mounted() {
    if ((EUID == 0)); then run unshare -m sh -c "$1"; else run unshare -rm sh -c "$1"; fi
}

if [[ -w /dev/fuse ]]; then
    mounted 'exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead /mnt &&
        timeout -s KILL 100 "$grouplock" check -d /mnt 3>&-'
    is "$status:$err" 1: "a file system that does not answer: status 1"
    like "$out" "error: the file system of '/mnt' has not answered for 15 seconds" "... is told"
else
    skip "a file system that does not answer: no /dev/fuse here"
fi

done_testing
