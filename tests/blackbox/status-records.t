#!/usr/bin/env bash
# status: a record is a stranger's words. Whatever it holds shows escaped or as unknown, and
# breaks nothing.
. "$(dirname "$0")/lib.sh"

write_config <<<$'[slots]\nhw1 = 1'
place=locks/hw1/default
run "$grouplock" run -g hw1 -- true
((status == 0)) || die "a first run should make the directory"

# Slot 0 and a ticket are held by processes that write no record.
mkfifo holder.go waiter.go
spawn holder flock $place/slot.0 hold holder
starts holder || die "'holder' should hold slot 0"
spawn waiter flock $place/ticket.1 hold waiter
starts waiter || die "'waiter' should hold ticket 1"

boot=$(cat /proc/sys/kernel/random/boot_id)
pidns=$(stat -Lc %i /proc/self/ns/pid)
start=$(sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20)

# record [KEY=VALUE...]: a record of this shell, with these keys instead of its own.
record() {
    local key pair
    local -A value=([kind]=run [worker]=msvc10 [host]=vm7 [boot]=$boot [pidns]=$pidns [pid]=$$ [start]=$start
        [since]=$(date +%s%N) [count]=1 [command]=make)
    for pair; do value[${pair%%=*}]=${pair#*=}; done
    printf 'grouplock 1\nstate held    \n'
    for key in kind id worker host boot pidns pid start since count command; do
        printf '%s %s\n' "$key" "${value[$key]-}"
    done
    printf '\n'
}

# written: writes stdin into slot and ticket; then $slot and $ticket are their rows without GROUP, LOCK and
# SLOT, and $json has both as JSON.
written() {
    tee $place/slot.0 >$place/ticket.1
    run "$grouplock" status
    slot=$(sed -n 's/^hw1 *default *0 //p' <<<"$out" | tr -s ' ')
    ticket=$(sed -n 's/^hw1 *default *1st //p' <<<"$out" | tr -s ' ')
    run_status=$status run_err=$err control=$(tr -d '\n' <<<"$out" | tr -dc '[:cntrl:]')
    run "$grouplock" status -J
    json=$out
}

# shows NAME SLOT TICKET: regular expressions for the two rows.
shows() {
    is "$run_status:$run_err:$status:$err" 0::0: "$1: no error"
    like "$slot" "^$2$" "... the slot"
    like "$ticket" "^$3$" "... the waiter"
    is "$control" '' "... nothing but text on the terminal"
    ok 'python3 -c "import json, sys; json.load(sys.stdin)" <<<"$json"' "... the JSON is valid"
}

# unknown NAME: both are known to be locked, and no more.
unknown() {
    shows "$1" "held unknown - - - held by pid ${pids[holder]} \\(flock $place/slot.0 hold holder\\).*" \
        'waiting unknown - - - unknown'
    is "$(jq -c '.locks[0] | .slots[0], .waiters[0] | [.worker, .host, .pid, .since, .age, .command, .count]' \
        <<<"$json" | uniq)" '[null,null,null,null,null,null,null]' "... which has null for what is unknown"
}

record >good
written <good
shows "a good record" 'held msvc10 vm7 [0-9]+ [0-9]+s make' 'waiting msvc10 vm7 [0-9]+ [0-9]+s make'

# --- no record at all ---------------------------------------------------------
written </dev/null
unknown "an empty file"
written < <(head -c 4096 /dev/zero)
unknown "zero bytes"
written < <(head -c 1000000 /dev/urandom)
unknown "a megabyte of anything"
written < <(yes | head -c 1000000)
unknown "a megabyte of y"
written < <(printf '\e[2J\e]0;title\a\n')
unknown "escape sequences"
written < <(record | head -n 8)
unknown "half a record"
written < <(sed '$d' good)
unknown "a record without its end"
written < <(record | tail -n +2)
unknown "a record without its beginning"
written < <(record pid=0)
unknown "a process 0"
written < <(record pid=-1)
unknown "a process -1"
written < <(record pid=99999999999999999999)
unknown "a process of twenty digits"
written < <(echo 'grouplock 2'; tail -n +2 good)
unknown "a record of a later version"
written < <(printf 'grouplock 1\n'; yes 'command x' | head -c 1000000)
unknown "a record that does not end"

# --- strange records ----------------------------------------------------------
written < <(cat good; head -c 1000000 /dev/urandom)
shows "a megabyte behind a record" 'held msvc10 vm7 [0-9]+ [0-9]+s make' 'waiting msvc10 vm7 [0-9]+ [0-9]+s make'
written < <(record 'worker=a%1B%5B31mb' 'host=c%0Ad' 'command=e%0D%07%1B%5D0;f%0Ahw1 default 7 held%7F%09g')
shows "escape sequences in a record" 'held a\\x1b\[31mb c\\x0ad [0-9]+ [0-9]+s e\\x0d\\x07\\x1b\]0;f\\x0ahw1 default 7 held\\x7f\\x09g' \
    'waiting a\\x1b.*'
is "$(jq -r '.locks[0].slots[0].worker' <<<"$json")" $'a\e[31mb' "... the JSON has them as they are"
is "$(jq -c '.locks[0].slots | length' <<<"$json")" 1 "... and a line end makes no row"
written < <(record "command=$(printf '%%41%.0s' {1..1100})")
shows "a command of 1,100 characters" "held msvc10 vm7 [0-9]+ [0-9]+s A{1023}" 'waiting .*A'
written < <(record 'command=a%FFb%C3%A4%C3' 'worker=%80')
is "$(jq -r '.locks[0].slots[0] | .worker, .command' <<<"$json" | paste -sd ,)" $'\xef\xbf\xbd,a\xef\xbf\xbdbä\xef\xbf\xbd' \
    "bytes that are no UTF-8 become U+FFFD in JSON"
ok 'iconv -f UTF-8 -t UTF-8 <<<"$json" >/dev/null' "... which is UTF-8 then"
written < <(record worker= host= command=)
shows "empty values" 'held unknown - [0-9]+ [0-9]+s -' 'waiting unknown - [0-9]+ [0-9]+s -'
written < <(record since=x count=-1)
shows "numbers that are none" 'held msvc10 vm7 [0-9]+ - make' 'waiting msvc10 vm7 [0-9]+ - make'
is "$(jq -c '.locks[0].slots[0] | [.since, .age, .count]' <<<"$json")" '[null,null,null]' "... are null in JSON"
written < <(record since=9223372036854775807)
shows "a holder of the far future" 'held msvc10 vm7 [0-9]+ 0s make' 'waiting msvc10 vm7 [0-9]+ 0s make'
is "$(jq -c '.locks[0].slots[0] | [.since, .age]' <<<"$json")" '["2262-04-11T23:47:16.854Z",0]' "... as JSON"
written < <(record since=1)
like "$slot" '^held msvc10 vm7 [0-9]+ [0-9]+d[0-9]+h make$' "a holder since 1970"
written < <(record kind=lease state=eaten colour=blue)
shows "words of a later version" 'held msvc10 vm7 [0-9]+ [0-9]+s make' 'waiting msvc10 vm7 [0-9]+ [0-9]+s make'

# --- whose process is whose ---------------------------------------------------
# No process has this pid here; what it means elsewhere is not known here.
for key in boot=0c5d3f5e-0000-4000-8000-000000000000 pidns=1 boot= pidns=0 start=0; do
    written < <(record pid=2147483647 start=5 "$key")
    like "$slot" '^held msvc10 vm7 2147483647 [0-9]+s make$' "a process of another boot or namespace is not looked up ($key)"
done
written < <(record pid=2147483647)
like "$slot" '^leaked msvc10 vm7 2147483647 [0-9]+s held by pid [0-9]+ \(flock .*\).*; left by make$' "one of this namespace is"
written < <(record start=5)
like "$slot" '^leaked ' "a pid that has been given out again is another process's"

done_testing
