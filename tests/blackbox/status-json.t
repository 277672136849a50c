#!/usr/bin/env bash
# status -J: one JSON document, valid whatever names and commands hold, with keys that stay.
. "$(dirname "$0")/lib.sh"

write_config <<END
[workers]
msvc10 = hw1
[slots]
hw1 = 2
$(printf 'h\xe4\xff') = 1
hw9 = 0
[slots devkit]
hw1 = kit-a Kit-B
END
fresh_locks 0755

# json [OPTION...]: $out is what `status -J` prints, which Python can read.
json() {
    run "$grouplock" status -J "$@"
    python3 -c 'import json, sys; json.load(sys.stdin)' <<<"$out" || die "this is no JSON: $out"
}

# value FILTER: of the last document, compact.
value() {
    jq -c "$1" <<<"$out"
}

readonly default='.locks[] | select(.group == "hw1" and .lock == "default")'
readonly devkit='.locks[] | select(.group == "hw1" and .lock == "devkit")'

rmdir locks
json
is "$status:$err:$(value '[.locks, .directory, .problem]')" "0::[[],\"$dir/locks\",null]" "a directory that does not exist"
fresh_locks 0755

json
is "$(value 'keys_unsorted')" '["time","directory","problem","locks"]' "the keys of the document"
is "$(value '[.locks[] | keys_unsorted] | unique')" \
    '[["group","lock","limit","closed","held","waiting","problem","slots","waiters"]]' "... of each lock"
is "$(value '[.locks[].slots[] | keys_unsorted] | unique')" '[["number","name","state","above_limit","worker","host","pid",'"$(
    )"'"since","age","count","command","kind","claim","claim_expired","bound_pid","until","left","processes","processes_hidden"]]' \
    "... of each slot"
is "$(value "$default | .slots[0] | del(.number) | map_values(select(. != null))")" '{"state":"free","above_limit":false,"claim_expired":false}' \
    "of a free slot nothing else is known"
is "$(value "[$default | .slots[] | [.number, .name]]")" '[[0,null],[1,null]]' "slots with numbers"
is "$(value "[$devkit | .slots[] | [.number, .name]]")" '[[null,"kit-a"],[null,"Kit-B"]]' "slots with names"
is "$(value '[.locks[] | select(.group == "hw9" and .lock == "default")
    | .limit, .closed, .slots]')" '[0,true,[]]' "a closed group"
is "$(value '[.locks[].group] | unique')" '["hw1","hw9","h��"]' "a name that is no UTF-8"

before=$(date +%s%N)  # before anybody holds or waits
export before
hold a -w msvc10
hold b -w msvc10 -l devkit -k
start c -w msvc10 -c 2
soon 'asleep c locks/hw1/default/slot.0' || die "'c' should be head and have the other slot"
json
is "$(value "$default | [.limit, .closed, .held, .waiting, .problem]")" '[2,false,2,1,null]' "numbers are numbers"
is "$(value "[$default | .slots[0], .waiters[0] | .state, .worker, .host, .pid, .command, .count]")" \
    "[\"held\",\"msvc10\",\"$(uname -n)\",${pids[a]},\"hold a\",1,\"waiting\",\"msvc10\",\"$(uname -n)\",${pids[c]},\"hold c\",2]" \
    "holder and waiter"
is "$(value "$default | .slots[1] | [.state, .pid, .count]")" "[\"held\",${pids[c]},2]" \
    "a head that needs more than one slot holds what it has got"
is "$(value "$default | .waiters[0] | keys_unsorted")" \
    '["place","ticket","state","worker","host","pid","since","age","count","command"]' \
    "the keys of a waiter"
is "$(value "$default | .waiters[0] | [.place, .ticket]")" '[1,1]' "its place and ticket"
is "$(value "[($default), ($devkit) | .slots[0].kind]")" '["run","keep"]' "-k is another kind"
cat >times.py <<'END'
import datetime, json, os, re, sys, time
document = json.load(sys.stdin)
before = int(os.environ['before']) / 1e9
def seconds(text):
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', text), text
    return datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=datetime.timezone.utc).timestamp()
now = seconds(document['time'])
assert before <= now <= time.time(), now
count = 0
for lock in document['locks']:
    for row in lock['slots'] + lock['waiters']:
        if row['since']:
            since = seconds(row['since'])
            assert before - 0.001 <= since <= now, row
            assert isinstance(row['age'], float) or isinstance(row['age'], int), row
            assert abs(now - since - row['age']) < 0.002, row
            count += 1
assert count == 4, count
END
ok 'python3 times.py <<<"$out"' "times are ISO 8601 in UTC, ages are seconds from there to the document's time"

json -g hw1 -l devkit
is "$(value '[.locks[] | [.group, .lock]]')" '[["hw1","devkit"]]' "-g and -l filter"
is "$(value '.locks[0].slots | map(.state)')" '["held","free"]' "... and nothing else"

signal c STOP
soon 'stopped c' || die "'c' should have stopped"
json
is "$(value "$default | .waiters[0].state")" '"stopped"' "a stopped waiter"
signal c CONT
end a
starts c || die "'c' should have started"

write_config <<<$'[workers]\nmsvc10 = hw1\n[slots]\nhw1 = 1'
json
is "$(value "$default | [.limit, .held, (.slots | map([.number, .above_limit]))]")" '[1,2,[[0,false],[1,true]]]' \
    "a slot above a lowered limit"
is "$(value "$devkit | [.limit, .closed, .held, (.slots | map([.name, .above_limit]))]")" '[null,false,1,[["kit-a",true]]]' \
    "a lock that the config has no more has no limit"
end b
end c

# A command of arbitrary bytes.
mkfifo d.go
spawn d "$grouplock" run -w $'w\xff"\\ü' -- hold d $'"\\\n\t\e[31m\x7f\x80ü€😀\xc3'
starts d || die "'d' should have started"
json
is "$(value '.locks[] | select(.held == 1 and .lock == "default") | .group, .slots[0].worker')" \
    "$(printf '"w\xef\xbf\xbd\\"\\\\ü"\n%.0s' 1 2)" "a name of arbitrary bytes"
is "$(jq -r '.locks[] | select(.held == 1 and .lock == "default") | .slots[0].command' <<<"$out" | od -An -c)" \
    "$(printf 'hold d "\\\n\t\e[31m\x7f\xef\xbf\xbdü€😀\xef\xbf\xbd\n' | od -An -c)" "a command of arbitrary bytes"

# What cannot be looked at is null.
chmod 000 locks/hw1/default/gate
if ((EUID == 0)); then
    chmod 644 groups.ini
    install -m 755 "$grouplock" bin/grouplock
    run setpriv --reuid 65534 --regid 65534 --clear-groups bin/grouplock status -J -g hw1 -l default
else
    run "$grouplock" status -J -g hw1 -l default
fi
is "$status" 1 "a lock that cannot be looked at: status 1"
like "$err" "^grouplock: hw1: cannot open '$dir/locks/hw1/default/gate': Permission denied$" "... said on stderr"
is "$(value '.locks[0] | [.limit, .held, .waiting, .slots, .waiters]')" '[1,null,null,null,null]' "... in JSON it is null"
like "$(value '.locks[0].problem')" 'Permission denied' "... with the reason"

done_testing
