#!/usr/bin/env bash
# Time namespaces: in another one /proc shows every process with another start time, which says
# nothing about whether it has ended.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0

# shifted COMMAND...: in a time namespace whose clock of the boot time is some other one.
shifted=(unshare --time --boottime 1000000)
((EUID == 0)) || shifted=(unshare --user --map-root-user --time --boottime 1000000)
printf '#!/bin/sh\nexec %s "$@"\n' "${shifted[*]}" >bin/shifted
chmod 755 bin/shifted
# The program's name is in the second field.
start_time() { sed 's/.*) //' | cut -d' ' -f20; }
soon '[[ -s /proc/self/stat ]]'
if [[ $(shifted cat /proc/$$/stat 2>/dev/null | start_time) == "$(start_time <"/proc/$$/stat")" ]] ||
    ! shifted true 2>/dev/null; then
    skip "no time namespaces here"
    done_testing
fi

# --- a command of run ---------------------------------------------------------------------------
run "$grouplock" run -g hw1 -- shifted "$grouplock" run -n -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "a nested call in another time namespace passes"
run shifted "$grouplock" run -g hw1 -- nsenter --time=/proc/$$/ns/time "$grouplock" run -n -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "... and one out of it"
run shifted "$grouplock" run -g hw1 -- "$grouplock" run -n -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "... and one where the command is in it, too"
run "$grouplock" run -g hw1 -- shifted shifted "$grouplock" run -n -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "... and one in a namespace below it"

hold a -g hw1
for where in env shifted; do
    run $where "$grouplock" status -J -g hw1
    is "$status:$(jq -r '.locks[0].slots[0].state' <<<"$out")" 0:held "a holder, seen by '$where': held"
    run $where "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "... and respected"
done
spawn b shifted "$grouplock" run -g hw1 --heartbeat 0.2 -- hold b
mkfifo b.go
soon 'queued b' || die "'b' should have queued"
ok 'says b "held by .*pid ${pids[a]} on "' "who waits in there names the holder"
end a
ok 'starts b' "... and starts when that has ended"
run "$grouplock" status -J -g hw1
is "$status:$(jq -r '.locks[0].slots[0].state' <<<"$out")" 0:held "a holder in there, seen from out here: held"
queue c -g hw1 --heartbeat 0.2
ok 'lives_on c 3 && still_waits c' "... and waited for"
is "$(sort -u locks/$claimed | grep -c '^state held')" 1 "... its record says so"
end b
ok 'starts c' "... until it ends"
end c

# --- claims -------------------------------------------------------------------------------------
# release_from WHERE WORD...: a claim of the test itself, released in another namespace or by
# GROUPLOCK_HELD there: done, or refused and said so; never one but not the other.
release_from() {
    local how
    for how in id variable; do
        run $1 "$grouplock" claim -g hw1
        ((status == 0)) || die "there should be a claim, but: $err"
        id=$(said_value CLAIM) held=$(said_value HELD)
        case $how in
            id) run "${@:2}" "$grouplock" release "$id" ;;
            variable) GROUPLOCK_HELD=$held run "${@:2}" "$grouplock" release ;;
        esac
        if [[ $(held_slots) ]]; then
            is "$status:$(held_slots)" 1:$claimed "a claim made by '$1', released by its $how, '${*:2}': it is still held, status 1"
            like "$err" "^grouplock: [^"$'\n'"]*time namespace" "... and the reason is said"
        else
            is "$status:$err" 0: "a claim made by '$1', released by its $how, '${*:2}': it is free"
        fi
        run $1 "$grouplock" release "$id"
        is "$status:$err:$(held_slots)" 0:: "... then where it was made"
    done
}
release_from env shifted
release_from env env
run shifted sleep 0
spawn in shifted sleep 150
soon '[[ $(readlink "/proc/${pids[in]}/ns/time") != "$(readlink /proc/$$/ns/time)" && $(<"/proc/${pids[in]}/comm") == sleep ]]' ||
    die "'in' should have a time namespace"
printf '#!/bin/sh\nexec nsenter --time=/proc/%s/ns/time "$@"\n' "${pids[in]}" >bin/inside
chmod 755 bin/inside
release_from inside inside
release_from inside env
release_from inside shifted

# The claim of a script: its steps pass, wherever they run, until it ends.
build b
claim_in b -g hw1
does b 'shifted "$grouplock" run -g hw1 -n -- echo ran'
is "$status:$out:$err" 0:ran: "a step in another time namespace passes by the script's claim"
tell b exit
finish b
ok 'all_free hw1 default 0' "... which ends with the script"

# --- records of an older version, which do not have the field -----------------------------------
hold a -g hw1
cp locks/$claimed record
grep -av '^timens ' record >locks/$claimed
# Whole, or it would be another fault.
like "$(tr '\n' '|' <locks/$claimed)" '\|start [1-9][0-9]*\|' "the record of an older version"
GROUPLOCK_HELD=$(environ a GROUPLOCK_HELD) run "$grouplock" run -g hw1 -n -- echo ran
is "$status:$out:$err" 0:ran: "... lets a nested call pass"
GROUPLOCK_HELD=$(environ a GROUPLOCK_HELD) run shifted "$grouplock" run -g hw1 -n -- echo ran
is "$status:$out:$err" 0:ran: "... also from another time namespace"
run "$grouplock" status -J -g hw1
is "$(jq -r '.locks[0].slots[0].state' <<<"$out")" held "... and is held"
end a

done_testing
