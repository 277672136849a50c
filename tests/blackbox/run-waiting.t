#!/usr/bin/env bash
# run: what a waiter says, and where and when.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[workers]
msvc10 = hw1
msvc11 = hw1
[slots]
*   = 1
hw2 = 2
hw0 = 0
[slots link]
*   = 1
END
host=$(uname -n)

# --- in a log -----------------------------------------------------------------
run "$grouplock" run -w msvc10 -- true
is "$err" '' "who need not wait says nothing"

hold holder -w msvc11
queue head -w msvc10 --heartbeat 0
queue second -w msvc10 --heartbeat 0.2
queue silent -w msvc10 -q --heartbeat 0.1
ok 'says head . && says second .' "a waiter says so at once"
like "$(<head.err)" "^grouplock: hw1 is full \(1 of 1\): 1st in the queue after [0-9]+s; held by msvc11 \(.*hold holder, pid ${pids[holder]} on $host, [0-9]+s\)\$" \
    "... with group, limit, place, time, and who holds the slot"
like "$(head -n 1 second.err)" '^grouplock: hw1 is full \(1 of 1\): 2nd in the queue after [0-9]+s; held by msvc11 \(' \
    "the second says that it is second"
ok 'lives_on second 5' "the heartbeat makes a line each time"
is "$(wc -l <head.err)" 1 "--heartbeat 0 makes none"
is "$(head -n 5 second.err | grep -c ' 2nd in the queue ')" 5 "... and each says what the place is"
end_by head TERM
ok 'says second " 1st in the queue "' "who becomes first says so"
end holder
ok 'starts second' "the second gets its slot"
like "$(tail -n 1 second.err)" '^grouplock: got hw1 slot 0 after [0-9]+s$' "... and says so in its last line"
is "$(grep -vc '^grouplock: ' second.err)" 0 "every line starts with 'grouplock: '"
is "$(<second.out)" '' "nothing of it is on stdout"
end second
end silent
is "$err" '' "-q says nothing at all"

# Becoming first is worth a line of its own, heartbeat or not.
hold holder -w msvc11
queue head -w msvc10
queue second -w msvc10 --heartbeat 0
queue third -w msvc10 --heartbeat 1h
end_by head KILL
ok 'says second " 1st in the queue "' "--heartbeat 0: who becomes first says so"
end holder
starts second || die "'second' should have started"
ok 'says third " 1st in the queue "' "--heartbeat 1h: so does the third"
end second
end third
is "$(said second '^grouplock: got ')" 1 "one line at the end"
is "$(said second .)" 3 "three lines in all: queued, first, got"

# More than one holder, other labels.
hold one -g hw2 -w w1
hold two -g hw2 -w w2
queue waiter -g hw2
ok 'says waiter .' "two holders"
like "$(<waiter.err)" '^grouplock: hw2 is full \(2 of 2\): 1st in the queue ' "... are counted"
like "$(<waiter.err)" " w1 \(.*pid ${pids[one]} on " "... and the one is named"
like "$(<waiter.err)" "\) and 1 more\$" "... and the other is counted"
end one
ok 'starts waiter' "one of them ends"
end waiter
end two
hold holder -w msvc10 -l link
queue waiter -w msvc11 -l link
ok 'says waiter "^grouplock: hw1/link is full "' "a lock other than the default is named"
end holder
end waiter
like "$err" 'grouplock: got hw1/link slot 0 after [0-9]+s$' "... in the end too"

# A holder without a sensible record.
exec {held}>locks/hw1/default/slot.0
flock "$held"
run "$grouplock" run -w msvc10 -n -- true
like "$err" '^grouplock: hw1 is full \(1 of 1\); held by unknown$' "a holder whose record says nothing is unknown"
exec {held}>&-
run "$grouplock" run -g hw0 -t 0.1 -- true
like "$err" '^grouplock: hw0 is closed \(0 slots\)' "a closed group"

# --- giving up ----------------------------------------------------------------
hold holder -w msvc10
run "$grouplock" run -w msvc11 -n -- true
like "$err" "^grouplock: [^"$'\n'"]*hw1[^"$'\n'"]*msvc10 \(.*pid ${pids[holder]} on $host" "-n says who holds the slot"
is "$(wc -l <run.err)" 1 "... in one line"
run "$grouplock" run -w msvc11 -t 0.3 --heartbeat 0 -- true
like "$(tail -n 1 run.err)" "^grouplock: .*hw1.*msvc10 \(.*pid ${pids[holder]} on $host" "a timeout says who holds the slot"
is "$(wc -l <run.err)" 2 "... in a line of its own"
for how in '-n -q' '-t 0.1 -q' '-n -E 0'; do
    # shellcheck disable=SC2086 # words
    run "$grouplock" run -w msvc11 $how -- true
    is "$err$out" '' "... but not under $how"
done
run "$grouplock" run -w msvc11 -t 0.1 -E 0 --heartbeat 0 -- true
is "$(wc -l <run.err)" 1 "... nor, but for the line in which it begins, under -t 0.1 -E 0"
end holder

# A holder's command and worker may be anything; the line stays a line.
mkfifo odd.go
spawn odd "$grouplock" run -g hw1 -w $'caf\xc3\xa9 \xff' -- hold odd $'\e[31mred\n\a' $'grouplock: got hw1\r'
starts odd || die "'odd' should have started"
run "$grouplock" run -w msvc11 -n -- true
is "$(wc -l <run.err)" 1 "control characters in a holder's command: still one line"
unlike "$err" '[[:cntrl:]]' "... without any"
like "$err" '\[31mred' "... escaped and not dropped"
run "$grouplock" run -w msvc11 -t 0.2 --heartbeat 0 -- true
unlike "$(tr -d '\n' <run.err)" '[[:cntrl:]]' "... for a waiter neither"
end odd
long=$(printf '%02000d' 0)
mkfifo long.go
spawn long "$grouplock" run -g hw1 -- hold long "$long" "$long" "$long"
starts long || die "'long' should have started"
run "$grouplock" run -w msvc11 -n -- true
is "$status:$(wc -l <run.err)" 75:1 "a long command: still one line"
ok '(($(wc -c <run.err) < 2000))' "... of readable length"
end long

# A waiter that cannot speak waits all the same.
hold holder -w msvc10
mkfifo full.go
spawn full sh -c 'exec "$grouplock" run -w msvc11 --heartbeat 0.05 -- hold full 2>/dev/full'
soon 'queued full' || die "'full' should have queued"
mkfifo pipe closed.go
spawn closed sh -c 'exec "$grouplock" run -w msvc11 --heartbeat 0.05 -- hold closed 2>pipe'
read -r _ <pipe # and nobody reads the pipe from here on
end holder
ok 'starts full' "stderr is full: the waiter gets its slot"
end full
ok 'soon "held closed || [[ ! -e /proc/${pids[closed]} ]]"' "stderr is a broken pipe: nobody is in anybody's way"
if held closed; then end closed; else finish closed; fi

# --- on a terminal ------------------------------------------------------------
# on_terminal NAME COLUMNS [RUN-OPTION...]: start under a terminal; NAME.tty has all
# that it shows.
on_terminal() {
    local name=$1 columns=$2
    shift 2
    mkfifo "$name.go"
    spawn "$name" script -qefc "stty cols $columns; exec $grouplock run $* -- hold $name" "$name.tty"
    soon "queued_pid \"\$(pgrep -P ${pids[$name]})\"" || die "'$name' should have queued"
}

# shown NAME: the lines of its terminal, each with all that it showed in turn,
# separated by \r; without escape sequences.
shown() {
    perl -0777 -pe 's/\e\[[0-9;?]*[A-Za-z]//g; s/\r\n/\n/g; s/^Script [^\n]*\n//mg' "$1.tty"
}

# redrawn NAME: a row of its terminal has shown the waiting line three times.
redrawn() {
    shown "$1" | perl -0777 -ne 'exit !/full[^\n]*\r[^\n]*full[^\n]*\r[^\n]*full/'
}

hold holder -w msvc10
on_terminal tty 150 -w msvc11 --heartbeat 0.2
on_terminal narrow 40 -w msvc11 --heartbeat 0.2
ok 'soon "redrawn tty"' "on a terminal the line is redrawn in place"
ok 'soon "redrawn narrow"' "... on a narrow one too"
end holder
end tty
end narrow
is "$(shown tty | grep -c grouplock:)" 2 "... it stays when the wait is over"
like "$(shown tty)" $'\n''grouplock: got hw1 slot 0 after [0-9]+s'$'($|\n)' "... with what came of it below"
is "$(shown narrow | tr '\r' '\n' | sed 's/ *$//' | grep 'hw1 is full' | grep -c '.\{41\}')" 0 "... and never fills more than a row"

# resize NAME COLUMNS: the window of its terminal.
resize() {
    stty -F "/proc/$(pgrep -P "${pids[$1]}")/fd/2" cols "$2"
}

# drawings NAME: each line that its terminal has shown, one after the other, with an a for each ä.
drawings() {
    shown "$1" | tr '\r' '\n' | sed 's/ä/a/g'
}

hold holder -w "$(printf 'ä%.0s' {1..40})" -g hw1
on_terminal utf8 100 -w msvc11
ok 'soon "redrawn utf8"' "a line with characters of several bytes"
is "$(drawings utf8 | grep 'full' | sed 's/^.\{99\}$/fits/' | sort -u)" fits "... is cut where as many columns are full"
resize utf8 30
ok 'soon "(( \$(drawings utf8 | grep -c \"(1 of *$\") > 1 ))"' "a window becomes narrower"
is "$(drawings utf8 | grep '(1 of *$' | grep -c '.\{30\}')" 0 "... and nothing wraps, no blanks either"
end holder
end utf8

hold holder -w msvc10
on_terminal quiet 80 -w msvc11 -q
end holder
end quiet
unlike "$(shown quiet)" 'grouplock: ' "-q is silent on a terminal too"

# --- told on request ----------------------------------------------------------
hold holder -w msvc10
run "$grouplock" run -w msvc11 -v -t 0.2 --heartbeat 0 -- true
like "$err" 'msvc11' "-v says the worker"
like "$err" "$dir/groups.ini" "... the config"
like "$err" "$dir/locks" "... the directory"
end holder

done_testing
