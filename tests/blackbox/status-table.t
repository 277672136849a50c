#!/usr/bin/env bash
# status: a row for each slot and each waiter, in order.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[workers]
msvc10  = hw1
msvc11  = hw1
linux-* = hw2
[slots]
hw1   = 2
hw2   = 1
hw10  = 1
*     = 1
[slots devkit]
hw2   = kit-a Kit-B
END

# status [OPTION...]: $rows has the rows without the head, one blank between columns, the host
# name as HOST, pids as PID and ages as AGE.
status() {
    run "$grouplock" status "$@"
    rows=$(tail -n +2 <<<"$out" | tr -s ' ' | sed -E "s/ $(uname -n) / HOST /; s/ HOST [0-9]+ / HOST PID /;
        s/ PID [0-9dhms]+ / PID AGE /")
}

# lines LINE...
lines() {
    printf '%s\n' "$@"
}

# --- nothing is held ----------------------------------------------------------
rmdir locks
status
is "$status:$err" 0: "a directory that does not exist yet is no error"
is "$(tr -s ' ' <<<"$out")" "GROUP LOCK SLOT STATE WORKER HOST PID AGE COMMAND" "... and an empty table"
ok '[[ ! -e locks ]]' "... which is not created"
status -g hw1 -l devkit
is "$status:$rows" 0: "... for a group and a lock, too"
fresh_locks
status
is "$status:$err" 0: "an empty directory"
is "$rows" "$(lines 'hw1 default 0 free - - - - -' 'hw1 default 1 free - - - - -' 'hw1 devkit 0 free - - - - -' \
    'hw2 default 0 free - - - - -' 'hw2 devkit kit-a free - - - - -' 'hw2 devkit Kit-B free - - - - -' \
    'hw10 default 0 free - - - - -' 'hw10 devkit 0 free - - - - -')" \
    "... shows all groups that the config names, with all locks, in the order in which people count"
is "$(find locks -mindepth 1)" '' "... and stays empty"

# --- holders and waiters ------------------------------------------------------
hold a -w msvc10
start b -w msvc11
starts b || die "'b' should have started"
queue c -w MSVC11
queue d -w msvc10
hold e -w linux-7 -l devkit
status
is "$status:$err" 0: "held and waiting"
is "$(sed 3q <<<"$rows" | sort)" "$(lines 'hw1 default 0 held msvc10 HOST PID AGE hold a' \
    'hw1 default 1 held msvc11 HOST PID AGE hold b' 'hw1 default 1st waiting msvc11 HOST PID AGE hold c')" \
    "a row for each slot and waiter says who it is"
is "$(sed -n 3,4p <<<"$rows")" "$(lines 'hw1 default 1st waiting msvc11 HOST PID AGE hold c' \
    'hw1 default 2nd waiting msvc10 HOST PID AGE hold d')" "... waiters after the slots, in the order of the queue"
like "$rows" $'\nhw2 devkit kit-a held linux-7 HOST PID AGE hold e\nhw2 devkit Kit-B free - - - - -\n' \
    "... named slots by their names"
for name in a c; do
    is "$(awk -v name="$name" '$NF == name { print $6, $7 }' <<<"$out")" "$(uname -n) ${pids[$name]}" \
        "host and pid of '$name' are those of its process"
done
is "$(awk 'NR > 1 && $4 == "held" && $8 !~ /^([0-9]+s|[0-9]+m[0-9][0-9]s)$/' <<<"$out")" '' "ages are short"

# Nobody is behind the last waiter who would remove the ticket of a dead one.
queue z -w msvc10
end_by z KILL
before=$(ls locks/hw1/default)
status -g hw1 -l default
is "$(cut -d ' ' -f 3,4 <<<"$rows" | paste -sd ,)" '0 held,1 held,1st waiting,2nd waiting' "a dead waiter is not shown"
like "$before" 'ticket\.3' "... although its ticket is there"
is "$(ls locks/hw1/default)" "$before" "... and is left to those who join the queue"
end_by c KILL
status -g hw1 -l default
is "$(sed -n 3,9p <<<"$rows")" 'hw1 default 1st waiting msvc10 HOST PID AGE hold d' "who is behind a dead waiter moves up"

# --- columns ------------------------------------------------------------------
status
head=$(head -n 1 <<<"$out")
before=${head%%PID*}
is "$(awk -v end=$((${#before} + 3)) 'NR > 1 && $7 != "-" && substr($0, end, 2) !~ /^[0-9] $/' <<<"$out")" '' \
    "pids stand right-aligned under PID"
before=${head%%COMMAND*}
is "$(tail -n +2 <<<"$out" | cut -c $((${#before} + 1))- | sort -u | paste -sd ,)" '-,hold a,hold b,hold d,hold e' \
    "commands stand left-aligned under COMMAND"
is "$(grep -c ' $' <<<"$out")" 0 "no line ends in a blank"
ok '[[ $out != *$'"'\\e'"'* ]]' "no colour in a pipe"

# --- filters ------------------------------------------------------------------
status -g hw2
is "$(cut -d ' ' -f 1 <<<"$rows" | sort -u)" hw2 "-g: one group"
status --group HW2 -g hw10
is "$(cut -d ' ' -f 1 <<<"$rows" | uniq | paste -sd ' ')" 'hw2 hw10' "-g repeated: several groups, whatever the case"
status -l devkit
is "$(cut -d ' ' -f 2 <<<"$rows" | sort -u)" devkit "-l: one lock"
status -l default --lock DevKit -g hw2
is "$(cut -d ' ' -f 1-3 <<<"$rows" | paste -sd ,)" 'hw2 default 0,hw2 devkit kit-a,hw2 devkit Kit-B' "-l repeated, with -g"
status -g nope
refused "an unknown group" "no group 'nope'" 'hw1, hw2, hw10'
status -l nope
refused "an unknown lock" "no lock 'nope'" 'default, devkit'
status -g hw1 -g ''
refused "an empty group" "no group ''"
status extra
refused "an operand" "'extra'"
status -J --prometheus
refused "two forms at once" '-J' '--prometheus'
status -Z
refused "an unknown option" "'-Z'"
run "$grouplock" status --help
is "$status:$err" 0: "--help"
like "$out" '^Usage: grouplock status .*--prometheus' "... lists the options"
printf 'nonsense' >bad.ini
status -f bad.ini
refused "a config that is none" bad.ini
status -d /dev/null
refused "a directory that is none" "'/dev/null'"
run bash -c '"$grouplock" status >/dev/full'
is "$status" 125 "a full disk is an error"
like "$err" "^grouplock: .*stdout.*No space left" "... that says so"

# --- groups that only the directory has ---------------------------------------
hold stray -w Stray
status
like "$rows" $'\nstray default 0 held stray HOST PID AGE hold stray\nstray devkit 0 free - - - - -$' \
    "a group of its own is shown when it has a directory"
status -g STRAY
is "$status:$(wc -l <<<"$rows")" 0:2 "... and known to -g"
run "$grouplock" run -g 'a b.c' -- true
status -g 'a b.c' -l default
is "$rows" 'a b.c default 0 free - - - - -' "a name that is escaped in the directory is shown as it is"

# What grouplock never made is none of its business.
mkdir -p locks/lost+found locks/backup/2026 locks/Upper/default locks/%zz/default locks/a%2fb/default locks/hw1/notes
touch locks/README locks/Upper/default/gate locks/%zz/default/gate locks/a%2fb/default/gate
ln -s hw1 locks/link
touch locks/hw1/default/{slot.,slot.007,slot.99999,slot.%zz,slot.Kit,ticket.,ticket.x,ticket.01,README}
mkdir locks/hw1/default/{slot.5,ticket.5}
mkfifo locks/hw1/default/slot.6 locks/hw1/default/ticket.6
ln -s slot.0 locks/hw1/default/slot.7
ln -s gate locks/hw1/default/ticket.7
before=$rows
status
is "$status:$err" 0: "strange files and directories are no error"
is "$(cut -d ' ' -f 1 <<<"$rows" | uniq | paste -sd ' ')" 'a hw1 hw2 hw10 stray' "... and are not shown as groups"
is "$(grep -c '^hw1 default' <<<"$rows")" 3 "... nor as slots or waiters"
rm -r locks/hw1/default/{slot.5,slot.6,slot.7,ticket.5,ticket.6,ticket.7,ticket.01}

# --- limits that change -------------------------------------------------------
write_config <<'END'
[workers]
msvc10  = hw1
[slots]
hw1   = 1
hw3   = 0
hw4   = 2
[slots devkit]
hw2   = kit-c
END
status -g hw1 -l default
is "$(cut -d ' ' -f 3,4 <<<"$rows" | paste -sd ,)" '0 held,1 held,1st waiting' "a slot above a lowered limit shows as long as it is held"
slot=$("$grouplock" status -J -g hw1 | jq -r '.locks[0].slots[] | select(.above_limit) | .command')
end "${slot#hold }"
soon 'slot_free hw1 default 1' || die "slot 1 should be free"
status -g hw1 -l default
is "$(cut -d ' ' -f 3,4 <<<"$rows" | paste -sd ,)" '0 held,1st waiting' "... and then no more"
status -l devkit -g hw2
is "$rows" "$(lines 'hw2 devkit kit-c free - - - - -' 'hw2 devkit kit-a held linux-7 HOST PID AGE hold e')" \
    "a named slot struck off the list shows as long as it is held"
status -g hw3 -l default
is "$rows" 'hw3 default - closed - - - - -' "a group without slots is closed"
write_config <<<$'[slots]\nhw1 = 0\nhw2 = 1'
status -g hw1
is "$(cut -d ' ' -f 2-4 <<<"$rows" | paste -sd ,)" 'default - closed,default 0 held,default 1st waiting' \
    "... also while what it ran before goes on"
status -g hw2
is "$rows" "$(lines 'hw2 default 0 free - - - - -' 'hw2 devkit kit-a held linux-7 HOST PID AGE hold e')" \
    "a lock that the config has no more shows while it is held"
status -l devkit
is "$(cut -d ' ' -f 1-3 <<<"$rows")" 'hw2 devkit kit-a' "... and is known to -l"
end e
soon 'slot_free hw2 devkit kit-a' || die "kit-a should be free"
status -g hw2
is "$rows" 'hw2 default 0 free - - - - -' "... and then no more"

# --- a stopped waiter ---------------------------------------------------------
write_config <<<$'[workers]\nmsvc10 = hw1\n[slots]\nhw1 = 1'
queue f -w msvc10
signal d STOP
soon 'stopped d' || die "'d' should have stopped"
status -g hw1
is "$(cut -d ' ' -f 3,4 <<<"$rows" | paste -sd ,)" '0 held,1st stopped,2nd waiting' "a waiter that is stopped shows as stopped, in its place"
signal d CONT
soon '! stopped d' || die "'d' should have gone on"
status -g hw1
is "$(cut -d ' ' -f 3,4 <<<"$rows" | paste -sd ,)" '0 held,1st waiting,2nd waiting' "... and as waiting when it goes on"

done_testing
