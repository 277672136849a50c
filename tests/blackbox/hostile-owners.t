#!/usr/bin/env bash
# What root makes in a directory of another's is that one's.
. "$(dirname "$0")/hostile.sh"

write_config <<'END'
[slots]
* = 1
[slots link]
* = 1
END
chmod 644 groups.ini
chmod 666 trace

# all: type, mode, owner and group of all that is in the directory and has a name that grouplock gives.
all() { find locks -mindepth 1 -name '.*' -prune -o -printf '%y %m %u %G\n' | sort -u | paste -sd ,; }
# as USER COMMAND...: as who is alone in a group of the same number.
cat >bin/as <<'EOT'
#!/bin/sh
user=$1
shift
exec setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"
EOT
chmod 755 bin/as

# runs NAME COMMAND...: a call of this user runs, and is told nothing.
runs() {
    run "${@:2}" grouplock run -g hw1 -n -- echo ran
    is "$status:$out:$err" 0:ran: "$1"
}

# --- what root makes in another's directory ------------------------------------------------------
for mode in 700 2700; do
    rm -rf locks
    install -d -m $mode -o 12341 -g 12341 locks
    runs "root, first in a directory of another's, mode $mode" env
    like "$(all)" "^d $mode 12341 12341,f 600 12341 12341\$" "... what it made is the owner's"
    runs "... who can use it" as 12341
    runs "... and root again" env
    run grouplock run -g hw1 -l link -- true
    run as 12341 grouplock run -g hw1 -l link -n -- echo ran
    is "$status:$out:$err" 0:ran: "... a second lock, root first again"
    # A ticket: the owner walks the queue by it.
    mkfifo -m 666 a.go b.go c.go
    chmod 777 .
    spawn a as 12341 grouplock run -g hw1 -- hold a
    starts a || die "'a' should have started"
    queue b -g hw1
    spawn c as 12341 grouplock run -g hw1 -- hold c
    ok 'soon "queued c"' "... root's ticket is no obstacle to the owner's"
    is "$(stat -c '%u %g %a' locks/hw1/default/ticket.* | sort -u)" '12341 12341 600' "... both are the owner's"
    end a
    ok 'starts b' "... root comes first"
    end b
    ok 'starts c' "... then the owner"
    end c
    chmod 755 .
    rm -f ./*.go ./*.held
    spawn target sleep 150
    run grouplock claim -g hw1 --pid "${pids[target]}"
    is "$status" 0 "a claim of root's in there"
    run as 12341 grouplock status -g hw1
    is "$status:$err" 0: "... the owner sees it"
    end_by target KILL
    all_free hw1 default 0
done
# A group's directory of another owner's: as ever, and the owner is the directory's, too.
for mode in 2770 770; do
    rm -rf locks
    install -d -m $mode -o 12341 -g 54321 locks
    runs "root, first in a group's directory of another's, mode $mode" env
    is "$(all)" "d $mode 12341 54321,f 660 12341 54321" "... what it made is the owner's and the group's"
    runs "... a member can use it" member 2
    runs "... and the owner" member 1
done
# Where root is the owner, or where everybody may write.
rm -rf locks
install -d -m 2770 -g 54321 locks
runs "root, in a directory of its own" env
is "$(all)" "d 2770 root 54321,f 660 root 54321" "... is the owner of what it made"
# Who is not root makes what is his own.
rm -rf locks
install -d -m 2770 -o 12341 -g 54321 locks
runs "a member, in a directory of another's" member 2
is "$(all)" "d 2770 12342 54321,f 660 12342 54321" "... is the owner of what he made"
runs "... root after that" env
is "$(all)" "d 2770 12342 54321,f 660 12342 54321" "... changes nothing"

done_testing
