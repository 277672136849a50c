#!/usr/bin/env bash
# status: a slot whose recorded process has ended while others hold it on is leaked, and they are named.
. "$(dirname "$0")/keeper.sh"

write_config <<<$'[slots]\n* = 1'
chmod 644 groups.ini
fresh_locks 0755

# row GROUP: its one row without GROUP, LOCK and SLOT.
row() {
    run "$grouplock" status -g "$1" -l default
    row=$(sed 1d <<<"$out" | tr -s ' ' | cut -d ' ' -f 4-)
}

# slot GROUP FILTER: of its slot in JSON.
slot() {
    "$grouplock" status -J -g "$1" | jq -c ".locks[0].slots[0] | $2"
}

# --- what is no leak ----------------------------------------------------------
leaver kept -g kept
row kept
like "$row" '^held .* leave kept$' "a command that runs, with a daemon"
is "$(slot kept '[.state, .processes, .processes_hidden]')" '["held",null,null]' "... nobody had to be looked for"
end kept
all_free kept default 0 || die "the slot should be free"
row kept
is "$row" 'free - - - - -' "the command has ended: the slot is free, whatever the daemon has open"
end_daemon "$daemon"
leaver keep -g keep -k
row keep
like "$row" '^held .* leave keep$' "under -k: a live command's leftovers are no leak"

# --- -k and a command that is gone --------------------------------------------
end keep
row keep
like "$row" "^leaked .* held by pid $daemon \\(sleep 150\\); left by leave keep\$" \
    "the command has ended: its daemon has the slot, and is named"
is "$status:$err" 0: "... which is no error"
is "$(slot keep '[.state, .kind, .processes, .processes_hidden]')" \
    "[\"leaked\",\"keep\",[{\"pid\":$daemon,\"command\":\"sleep 150\"}],false]" "... in JSON, too"
is "$("$grouplock" status --prometheus -g keep | sed -n 's/^grouplock_slots_held{.*} //p')" 1 "... for Prometheus it is held"
exec 5<locks/keep/default/slot.0
is "$(slot keep '.processes | map(.pid)')" "[$daemon]" "who only has the file open holds nothing"
exec 5<&-

if ((EUID == 0)); then
    install -m 755 "$grouplock" bin/grouplock
    run setpriv --reuid 65534 --regid 65534 --clear-groups bin/grouplock status -g keep
    like "$out" 'leaked .* held by a process that this user may not see; left by leave keep' \
        "another user is told that somebody holds it whom it may not see"
    is "$status:$err" 0: "... without an error"
    run setpriv --reuid 65534 --regid 65534 --clear-groups bin/grouplock status -J -g keep
    is "$(jq -c '.locks[0].slots[0] | [.processes, .processes_hidden]' <<<"$out")" '[[],true]' "... in JSON, too"
else
    skip "not root: cannot become another user"
fi
end_daemon "$daemon"
row keep
is "$row" 'free - - - - -' "the daemon has ended: the slot is free"

# Each process is named once, however often it has the slot.
cat >bin/leave-three <<'END'
#!/bin/bash
exec 7<&100 8<&100
for i in 1 2 3; do sh -c 'echo $$ >"three$1.daemon"; exec sleep 150' daemon $i </dev/null >/dev/null 2>&1 & done
END
chmod 755 bin/leave-three
run "$grouplock" run -g three -k -- leave-three
soon '[[ -s three1.daemon && -s three2.daemon && -s three3.daemon ]]' || die "three daemons should run"
is "$(slot three '.processes | map(.pid)')" "[$(sort -n three?.daemon | paste -sd ,)]" "three processes are named once each"
row three
like "$row" 'held by pid [0-9]+ \(sleep 150\), pid [0-9]+ \(sleep 150\), pid [0-9]+ \(sleep 150\); left by leave-three$' \
    "... in the table, too"
end_daemons
row three
is "$row" 'free - - - - -' "... until they have ended"

# --- a keeper that was killed -------------------------------------------------
leaver orphan -g orphan
kill_keeper orphan
row orphan
like "$row" '^held .* leave orphan$' "a keeper is killed while the command runs: no leak"
end orphan
row orphan
like "$row" "^leaked .* held by pid $daemon \\(sleep 150\\); left by leave orphan\$" "... but one when the command has ended"
end_daemon "$daemon"
row orphan
is "$row" 'free - - - - -' "... until the daemon ends"

# --- whoever else has it ------------------------------------------------------
run "$grouplock" run -g hand -- true
holder byhand flock locks/hand/default/slot.0 hold byhand
row hand
like "$row" "^leaked .* held by pid ${pids[byhand]} \\(flock locks/hand/default/slot.0 hold byhand\\); left by true\$" \
    "a slot that is locked by hand: its record is the last holder's"
: >locks/hand/default/slot.0
row hand
like "$row" "^held unknown - - - held by pid ${pids[byhand]} \\(flock .*\\)\$" "... and without a record it is not known whose"
end byhand

# --- never for an instant -----------------------------------------------------
# Commands that end all the time: the moment between a command's end and its keeper's unlock,
# or between a lock and its record, is no leak.
cat >bin/short <<'END'
#!/bin/sh
while [ ! -e enough ]; do "$grouplock" run -q -g short -- true; done
END
chmod 755 bin/short
spawn short1 short
spawn short2 short
soon '[[ -e locks/short/default/slot.0 ]]' || die "short commands should run"
leaks=0 seen=0
for _ in {1..60}; do
    row short
    if [[ $out == *leaked* ]]; then ((++leaks)); diag "$out"; fi
    if [[ $out == *held* ]]; then ((++seen)); fi
done
touch enough
finish short1
finish short2
is "$leaks" 0 "short commands one after the other never seem leaked"
ok '((seen > 0))' "... although they were seen ($seen of 60 times)"

done_testing
