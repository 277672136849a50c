# shellcheck shell=bash
# What the black-box tests share: TAP, and processes that hold slots or wait.
#
#     . "$(dirname "$0")/lib.sh"
#     write_config <<<$'[slots]\nhw1 = 1'
#     hold  a -g hw1          # a has the slot: its command runs
#     queue b -g hw1          # b has a ticket and waits
#     end a                   # a's command ends by itself
#     ok 'starts b' "a waiter follows the holder"
#     done_testing
#
# A test file has a directory of its own and works in it; GROUPLOCK_CONFIG and
# GROUPLOCK_DIR point into it. Every process is started by spawn, in a process
# group of its own, under a name: NAME.out and NAME.err have what it printed.
# Nothing here sleeps for a result: everything is a condition with a deadline.

set -u
umask 022

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
grouplock=${GROUPLOCK:-$root/build/grouplock}
[[ $grouplock == /* ]] || grouplock=$PWD/$grouplock
if [[ ! -x $grouplock ]]; then
    echo "Bail out! there is no program '$grouplock'"
    exit 1
fi
unset GROUPLOCK "${!GROUPLOCK_@}"
unset MAKEFLAGS MFLAGS MAKELEVEL FLAVOUR STATIC # a make in a test is nobody's sub-make
export grouplock
export LC_ALL=C

readonly patience=30   # seconds that a condition is waited for
: "${lifetime:=170}"       # seconds that a test file may take

# --- TAP ----------------------------------------------------------------------

tests=0
failures=0

# diag TEXT: for whoever reads the results. After a failure it goes to stderr, which prove shows in any case.
diag() {
    local told to=1

    mapfile -t told <<<"$*"
    ((failures == 0)) || to=2
    printf '#   %s\n' "${told[@]}" >&"$to"
}

# verdict STATUS NAME: one line of TAP; fails unless STATUS is 0.
verdict() {
    ((++tests))
    if (($1 == 0)); then
        printf 'ok %d - %s\n' "$tests" "$2"
        return 0
    fi
    ((++failures))
    printf 'not ok %d - %s\n' "$tests" "$2"
    diag "in $0, line ${BASH_LINENO[1]}: $2"
    return 1
}

# ok CONDITION NAME
ok() {
    eval "$1"
    verdict $? "$2" || diag "condition: $1"
}

# is GOT EXPECTED NAME
is() {
    [[ $1 == "$2" ]]
    verdict $? "$3" || { diag "got:      $1"; diag "expected: $2"; }
}

# like GOT REGEX NAME
like() {
    [[ $1 =~ $2 ]]
    verdict $? "$3" || { diag "got:         $1"; diag "no match of: $2"; }
}

# unlike GOT REGEX NAME
unlike() {
    [[ ! $1 =~ $2 ]]
    verdict $? "$3" || { diag "got:        $1"; diag "a match of: $2"; }
}

skip() {
    ((++tests))
    printf 'ok %d # SKIP %s\n' "$tests" "$1"
}

# die REASON: a test that cannot go on fails, with all that was said on stderr.
die() {
    local file
    trap - ALRM
    ((++tests, ++failures))
    printf 'not ok %d - %s\n' "$tests" "$1"
    diag "in $0, line ${BASH_LINENO[*]}: $1"
    for file in *.err; do
        if [[ -s $file ]]; then diag "$file: $(tail -n 5 "$file" | tr -d '\0')"; fi
    done
    exit 1
}

done_testing() {
    printf '1..%d\n' "$tests"
    exit $((failures > 0))
}

# --- the test's own directory -------------------------------------------------

dir=$(mktemp -d "${TMPDIR:-/tmp}/grouplock-test.XXXXXX")
chmod 711 "$dir"
cd "$dir" || exit 1
mkdir -m 700 locks
export GROUPLOCK_CONFIG=$dir/groups.ini
export GROUPLOCK_DIR=$dir/locks
: >trace
# Nothing ever comes through this pipe: to read from it with a time limit is to
# sleep without another process.
mkfifo never
exec {never}<>never

declare -A pids=()

cleanup() {
    local name
    kill "$watchdog"
    for name in "${!pids[@]}"; do
        kill -KILL -- "-${pids[$name]}"
    done
    wait
    cd /
    chmod -R u+rwX "$dir"
    rm -rf "$dir"
} 2>/dev/null
trap cleanup EXIT
trap 'die "took longer than $lifetime seconds"' ALRM
trap 'exit 130' INT TERM HUP

# Bash takes the alarm at once when it sits in wait, and it waits nowhere else.
perl -e 'sleep $ARGV[0]; kill ALRM => $ARGV[1] if getppid == $ARGV[1]' \
    "$lifetime" $$ </dev/null >/dev/null 2>&1 &
watchdog=$!

# write_config <<EOF: replaces groups.ini in one step, as a careful admin would.
write_config() {
    cat >groups.ini.new
    mv groups.ini.new groups.ini
}

# fresh_locks [MODE]: begins again with an empty directory.
fresh_locks() {
    rm -rf locks
    mkdir locks
    chmod "${1:-0700}" locks
}

# --- conditions ---------------------------------------------------------------

# wait_until SECONDS CONDITION
wait_until() {
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    until eval "$2"; do
        ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
        read -rt 0.01 -u "$never"
    done
    return 0
}

# soon CONDITION: the same with the usual patience.
soon() {
    wait_until "$patience" "$1"
}

# --- processes ----------------------------------------------------------------

# spawn NAME COMMAND...: starts it in the background. Job control gives it a
# process group, and leaves it SIGINT and SIGQUIT as they are.
spawn() {
    local name=$1
    shift
    set -m
    "$@" </dev/null >"$name.out" 2>"$name.err" {never}>&- &
    pids[$name]=$!
    set +m
}

# finish NAME: waits for its end. $status, $out and $err tell how it went, as
# command substitution would but without another process; $lines is the number
# of lines on stderr.
finish() {
    wait "${pids[$1]}" 2>/dev/null
    status=$?
    unset "pids[$1]"
    IFS= read -rd '' out <"$1.out"
    IFS= read -rd '' err <"$1.err"
    lines=${err//[!$'\n']/}
    lines=${#lines}
    while [[ $out == *$'\n' ]]; do out=${out%$'\n'}; done
    while [[ $err == *$'\n' ]]; do err=${err%$'\n'}; done
}

# run COMMAND...: spawn and finish.
run() {
    spawn run "$@"
    finish run
}

# signal NAME SIGNAL
signal() {
    kill -s "$2" "${pids[$1]}"
}

# end_by NAME SIGNAL: ends it by a signal and waits for that.
end_by() {
    if held "$1"; then echo "end $1" >>trace; fi
    signal "$1" "$2"
    finish "$1"
}

# stopped NAME
stopped() {
    grep -q '^State:[[:space:]]T' "/proc/${pids[$1]}/status"
}

# environ NAME VARIABLE: its value in the environment of NAME's process.
environ() {
    tr '\0' '\n' <"/proc/${pids[$1]}/environ" | sed -n "s/^$2=//p"
}

# refused NAME WORD...: the last run ended with 125 and said why in one line
# that has all the words.
refused() {
    local name=$1 problem='' word
    shift
    ((status == 125)) || problem="status $status"
    [[ $err == 'grouplock: '* ]] || problem+=", does not start with 'grouplock: '"
    ((lines == 1)) || problem+=", not one line"
    [[ $err =~ [[:cntrl:]] ]] && problem+=", control characters"
    [[ -z $out ]] || problem+=", stdout: $out"
    for word; do
        [[ $err == *"$word"* ]] || problem+=", does not say '$word'"
    done
    [[ -z $problem ]]
    verdict $? "$name" || { diag "wrong:  ${problem#, }"; diag "stderr: $err"; }
}

# --- holders and waiters ------------------------------------------------------

mkdir bin
cat >bin/hold <<'END'
#!/bin/sh
# hold ID: runs until the test says that ID may end.
exec 3<>"$1.go"
echo "start $1" >>trace
: >"$1.held"
read -r _ <&3
echo "end $1" >>trace
END
chmod 755 bin/hold
# A process cannot look for its leaks while it is traced.
if [[ ${ASAN_OPTIONS-} ]] && command -v strace >/dev/null; then
    # shellcheck disable=SC2016 # that shell's
    printf '#!/bin/sh\nASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 exec %s "$@"\n' "$(command -v strace)" >bin/strace
    chmod 755 bin/strace
fi
export PATH=$dir/bin:$PATH

# start NAME [RUN-OPTION...]: `grouplock run` of a command that holds.
start() {
    local name=$1
    shift
    ! held "$name" || rm "$name.held"
    [[ -p $name.go ]] || mkfifo "$name.go"
    spawn "$name" "$grouplock" run "$@" -- hold "$name"
}

# held NAME: its command runs.
held() {
    [[ -e $1.held ]]
}

# starts NAME...: their commands run, soon.
starts() {
    local name
    for name; do
        soon "held $name" || return 1
    done
}

# queued_pid PID: it has a ticket, locked. Looks at /proc and so disturbs nobody.
queued_pid() {
    local fd fds
    read -ra fds < <(find "/proc/$1/fd" -lname '*/ticket.*' -printf '%f ' 2>/dev/null)
    for fd in "${fds[@]}"; do
        grep -q 'FLOCK.*WRITE' "/proc/$1/fdinfo/$fd" 2>/dev/null && return
    done
    return 1
}

# queued NAME
queued() {
    queued_pid "${pids[$1]}"
}

# asleep NAME [FILE]: it sleeps in flock() (on FILE). In a container /proc/locks has no lock whose process is gone,
# as that of every claim is, nor who waits for it; then it is to be seen in the call that a thread of it sleeps in.
asleep() {
    local inode='[0-9]+'
    [[ $# == 1 ]] || inode=$(stat -c %i "$2")
    grep -Eq -- "-> FLOCK +ADVISORY +[A-Z]+ +${pids[$1]} [^ ]*:$inode " /proc/locks || asleep_in_call "${pids[$1]}" "${@:2}"
}

# asleep_in_call PID [FILE]: one of its threads is in a system call whose number is that of flock() on one of the
# usual machines, and whose first argument is an open file (FILE): what else has these numbers elsewhere has not.
asleep_in_call() {
    local call number fd file
    for call in "/proc/$1/task/"*/syscall; do
        read -r number fd _ <"$call" || continue
        file=/proc/$1/fd/$((fd))
        [[ $number == @(73|143|32) && -f $file && (-z ${2-} || $file -ef $2) ]] && return
    done 2>/dev/null
    return 1
}

# hold NAME [RUN-OPTION...]: start, and be sure that it holds.
hold() {
    start "$@"
    starts "$1" || die "'$1' should have started"
}

# queue NAME [RUN-OPTION...]: start, and be sure that it waits.
queue() {
    start "$@"
    soon "queued $1" || die "'$1' should have queued"
}

# end NAME: lets the command of a holder end, and waits for that.
end() {
    starts "$1" || die "'$1' should have started before it ends"
    echo go 1<>"$1.go"
    finish "$1"
}

# still_waits NAME...: they are in the queue, asleep, and none of them runs.
still_waits() {
    local name
    for name; do
        soon "queued $name && asleep $name" && ! held "$name" || return 1
    done
}

# said NAME REGEX: how many lines of its stderr match.
said() {
    grep -Ec -- "$2" "$1.err"
}

# says NAME REGEX: a line of its stderr matches, soon.
says() {
    soon "grep -Eq -- $(printf %q "$2") $1.err"
}

# lives_on NAME LINES: its stderr grows by so many lines. With --heartbeat it
# says that a waiter had all the time it needs to do what it must not do.
lives_on() {
    local goal=$(($(wc -l <"$1.err") + $2))
    soon "((\$(grep -c '' $1.err) >= $goal))"
}

# slot_free GROUP LOCK SLOT: tries the kernel's lock, under the gate as any other
# attempt, so that it makes nobody else's fail.
slot_free() {
    local place=$GROUPLOCK_DIR/$1/$2
    [[ -e $place/slot.$3 ]] || return 0
    flock "$place/gate" flock -n "$place/slot.$3" true
}

# all_free GROUP LOCK SLOT...: soon, as the end of a command frees its slots.
all_free() {
    local slot
    for slot in "${@:3}"; do
        soon "slot_free $1 $2 $slot" || return 1
    done
}

# --- the oracle ---------------------------------------------------------------
# Commands append `start ID` when they run and `end ID` before they end, each by
# one write: what overlaps in the trace did overlap.

# most_at_once [REGEX]: how many of the IDs that match ran at once, at most.
most_at_once() {
    perl -ne '
        BEGIN { $re = shift; $n = $most = 0 }
        /^(start|end) (\S+)$/ or die "bad line in the trace: $_";
        my ($what, $id) = ($1, $2);
        next unless $id =~ $re;
        $n += $what eq "start" ? 1 : -1;
        die "$id ended before it started\n" if $n < 0;
        $most = $n if $n > $most;
        END { print $most unless $? }' "${1:-.}" trace
}

# start_order [REGEX]: the IDs in the order in which they started.
start_order() {
    sed -n 's/^start //p' trace | grep -E "${1:-.}" | paste -sd ' '
}
