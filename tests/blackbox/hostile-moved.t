#!/usr/bin/env bash
# Hostile neighbours: a member of the build group moves a file that is root's, from a directory of his own, to
# where a gate, a slot or a ticket belongs. Root's next call must not open it to the group.
. "$(dirname "$0")/hostile.sh"

write_config <<'END'
[slots]
* = 1
END

# secret: a file of root's that no one else may read, in a directory that is the member's: a mail, a core dump, a log.
# His is the right to move it; $secret is open on it, wherever it is.
rights() { stat -Lc '%a %u %g' "/proc/self/fd/$secret"; }
make_secret() {
    rm -rf his
    mkdir -m 700 his
    (umask 077 && echo 'root secret' >his/secret)
    ((${2-0} == 0)) || truncate -s 0 his/secret
    chmod "$1" his/secret
    chown 12341:12341 his
    exec {secret}<his/secret
}

# unopened NAME: it is as it was, and no member can read it.
unopened() {
    is "$(rights)" "$before" "$1"
    run member 2 cat "$place/$file"
    ok '((status != 0))' "... a member cannot read it"
    run member 1 cat "$place/$file"
    ok '((status != 0))' "... nor can who has moved it"
    exec {secret}<&-
}

for mode in 600 400; do
    for empty in 0 1; do
        for file in gate slot.0 ticket.1; do
            for caller in 'run -t 5' 'claim -n --pid 0 --max 0.001' status; do
                fresh_group
                make_secret "$mode" "$empty"
                before=$(rights)
                if [[ $file == ticket.1 ]]; then
                    spawn holder member 1 "$dir/bin/grouplock" run -g hw1 -- sleep 150
                    soon "[[ -s $place/slot.0 ]]" || die "'holder' should hold"
                    spawn waiter member 1 "$dir/bin/grouplock" run -g hw1 -- true
                    soon "[[ -s $place/ticket.1 ]]" || die "'waiter' should be in line"
                    [[ $caller != 'run -t 5' ]] || caller='run -t 0'
                fi
                run member 1 mv -fT his/secret "$place/$file"
                ((status == 0)) || die "a member should be able to move it: $err"
                # shellcheck disable=SC2086
                case $caller in
                    run*) run timeout 60 grouplock $caller -g hw1 -- true ;;
                    *) run timeout 60 grouplock ${caller/claim/claim -g hw1} ;;
                esac
                unopened "root's $caller with a file of root's, mode $mode, size $((12 * !empty)), as $file: it is not opened to the group"
                if [[ $file == ticket.1 ]]; then
                    end_by waiter KILL
                    end_by holder KILL
                fi
            done
        done
    done
done

# --- what a call makes is the group's, as ever --------------------------------------------------------------
for mode in 2770 0770; do
    fresh_locks $mode
    chgrp 54321 locks
    chmod $mode locks
    run grouplock run -g hw1 -- true
    is "$status:$(stat -c '%a %u %g' $place/gate $place/slot.0 | sort -u)" '0:660 0 54321' "what root makes in a directory of mode $mode is the group's"
    is "$(stat -c '%a %g' locks/hw1 $place | sort -u)" "$((10#$mode)) 54321" "... the directories, too"
    run member 1 grouplock run -g hw1 -n -- echo in
    is "$status:$out" 0:in "... and a member passes"
done

done_testing
