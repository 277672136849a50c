#!/usr/bin/env bash
# run: the directory. Its mode is the policy, and what is planted there is not
# followed.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END
place=locks/hw1/default
install -m 755 "$grouplock" bin/grouplock

# as USER COMMAND...: as a user without any rights; only root may.
as() {
    setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

# mounted SCRIPT: with the right to mount, in a mount namespace of its own.
mounted() {
    if ((EUID == 0)); then unshare -m sh -c "$1"; else unshare -rm sh -c "$1"; fi
}

# --- permissions --------------------------------------------------------------
# modes: the modes and groups of all that is in the directory, by type.
modes() {
    find locks -mindepth 1 -printf '%y %m %G\n' | sort -u | paste -sd ,
}

gid=$(id -g)
for umask in 000 022 077 777; do
    for mode in '2770 2770 660' '700 700 600' '750 750 640' '1777 1777 666'; do
        read -r top directories files <<<"$mode"
        fresh_locks "$top"
        mkfifo holder.go waiter.go
        spawn holder sh -c "umask $umask; exec grouplock run -g hw1 -- hold holder"
        starts holder || die "'holder' should have started"
        spawn waiter sh -c "umask $umask; exec grouplock run -g hw1 -- hold waiter"
        soon 'queued waiter' || die "'waiter' should have queued"
        is "$(modes)" "d $directories $gid,f $files $gid" "a directory of mode $top and umask $umask: modes inside"
        end holder
        end waiter
        rm -f holder.* waiter.*
    done
done

if ((EUID == 0)); then
    chmod 777 .
    fresh_locks 0770
    chgrp 54321 locks
    run setpriv --reuid 12345 --regid 12345 --groups 54321 grouplock run -g hw1 -- true
    is "$status:$(modes)" '0:d 770 54321,f 660 54321' "the directory's group is inherited without setgid"
    run setpriv --reuid 12346 --regid 12346 --groups 54321 grouplock run -g hw1 -- true
    is "$status:$err" '0:' "... and another member can use what is there"
    run as 12347 grouplock run -g hw1 -- touch ran
    refused "... but nobody else can" locks 'Permission denied'

    # Users who share nothing but a directory like /tmp. The sticky bit keeps
    # them from removing each other's tickets, and protected_regular from opening
    # each other's files with O_CREAT.
    fresh_locks 1777
    : >trace
    chmod 666 trace
    mkfifo -m 666 a.go b.go c.go d.go
    spawn a setpriv --reuid 12345 --regid 12345 --clear-groups grouplock run -g hw1 -- hold a
    starts a || die "'a' should have started"
    n=12345
    for name in b c d; do
        spawn $name setpriv --reuid $((++n)) --regid $n --clear-groups grouplock run -g hw1 -- hold $name
        soon "queued $name" || die "'$name' should have queued"
    done
    end_by b KILL
    end a
    ok 'starts c' "a sticky directory of several users: the queue goes on"
    end c
    end d
    is "$(start_order)" 'a c d' "... in order"
    run as 12349 grouplock run -g hw1 -n -- echo ran
    is "$status:$out:$err" '0:ran:' "... and is free in the end"
    chmod 711 .
else
    skip "users and groups: only root can be several users"
fi

# --- it must be there and usable ----------------------------------------------
fresh_locks
run grouplock run -d "$dir/missing" -g hw1 -- touch ran
refused "a missing directory" "no directory '$dir/missing'" 'create it'
ok '[[ ! -e missing ]]' "... is not created"
run grouplock run -d "$dir/it's missing" -g hw1 -- touch ran
like "$err" ": install -d -m 2770 -g GROUP '.*'$" "... nor one with blanks in its name"
eval "set -- ${err##* -g GROUP }"
is "$*" "$dir/it's missing" "... and the command that makes it is good for a shell"
: >file
run grouplock run -d "$dir/file" -g hw1 -- touch ran
refused "a file for a directory" "$dir/file" 'Not a directory'
run grouplock run -d "$dir/file/below" -g hw1 -- touch ran
refused "a directory below a file" "$dir/file/below" 'Not a directory'
mkfifo fifo
run grouplock run -d "$dir/fifo" -g hw1 -- touch ran
refused "a FIFO for a directory" "$dir/fifo" 'Not a directory'

for mode in 555 000; do
    fresh_locks $mode
    if ((EUID == 0)); then run as 12345 grouplock run -g hw1 -- touch ran; else run grouplock run -g hw1 -- touch ran; fi
    refused "a directory of mode $mode" locks 'Permission denied'
    is "$(find locks -mindepth 1)" '' "... stays empty"
done
fresh_locks
# shellcheck disable=SC2016
run mounted 'mount --bind "$GROUPLOCK_DIR" "$GROUPLOCK_DIR" &&
    mount -o remount,bind,ro "$GROUPLOCK_DIR" && exec grouplock run -g hw1 -- touch ran'
refused "a read-only file system" locks 'Read-only file system'
run grouplock run -g hw1 -- true
run mounted 'mount --bind "$GROUPLOCK_DIR" "$GROUPLOCK_DIR" &&
    mount -o remount,bind,ro "$GROUPLOCK_DIR" && exec grouplock run -g hw1 -- touch ran'
refused "... with all the files there already" locks 'Read-only file system'
for full in nr_inodes=1 nr_inodes=2 nr_inodes=3 nr_inodes=4; do
    run mounted "mount -t tmpfs -o $full,mode=700 full \"\$GROUPLOCK_DIR\" && exec grouplock run -g hw1 -- touch ran"
    refused "a file system without room for files ($full)" locks 'No space left on device'
done
# shellcheck disable=SC2016
run mounted 'mount -t tmpfs -o size=16k,mode=700 full "$GROUPLOCK_DIR" &&
    head -c 16384 /dev/zero >"$GROUPLOCK_DIR/filler" && exec grouplock run -g hw1 -- touch ran'
refused "a file system without room for data" locks 'No space left on device'
ok '[[ ! -e ran ]]' "in all these cases nothing ran"

# --- what is planted is not followed ------------------------------------------
# planted NAME FILE PATH: run is refused, by a message that names FILE.
planted() {
    run timeout 60 grouplock run -g hw1 -t 20 -- touch ran
    refused "$1" "$2"
    ok '[[ ! -e ran ]]' "... and nothing ran"
}

mkdir target
echo precious >precious
for file in gate slot.0 ticket.1; do
    for kind in symlink dangling loop FIFO directory socket hardlink; do
        fresh_locks
        if [[ $file == ticket.1 ]]; then
            hold holder -g hw1
        else
            mkdir -p $place
        fi
        case $kind in
            symlink) ln -s "$dir/precious" $place/$file ;;
            dangling) ln -s "$dir/target/created" $place/$file ;;
            FIFO) mkfifo $place/$file ;;
            directory) mkdir $place/$file ;;
            socket) perl -MSocket -e 'socket S, PF_UNIX, SOCK_STREAM, 0; chdir $ARGV[0];
                bind S, pack_sockaddr_un($ARGV[1]) or die $!' $place $file ;;
            loop) ln -s $file $place/$file ;;
            hardlink) ln precious $place/$file ;;
        esac
        planted "a $kind planted for $file" "$place/$file"
        is "$(<precious)$(ls target)" precious "... which touched nothing"
        if [[ $file == ticket.1 ]]; then end holder; fi
    done
done
for level in hw1 hw1/default; do
    fresh_locks
    mkdir -p "locks/$(dirname $level)"
    ln -s "$dir/target" locks/$level
    planted "a symlink planted for $level" "locks/$level"
    is "$(ls target)" '' "... is not followed"
    rm locks/$level
    : >locks/$level
    planted "a file planted for $level" "locks/$level"
done

# --- what is there is opened without O_CREAT ----------------------------------
fresh_locks
run grouplock run -g hw1 -- true
run strace -f -qq -e trace=open,openat,openat2,creat,mkdir,mkdirat,link,linkat -o calls grouplock run -g hw1 -- true
is "$status" 0 "a second run under strace"
ok 'grep -Eq "gate.*O_NOFOLLOW" calls' "... opens the gate without following links"
is "$(grep -E 'openat[(][0-9].*O_CREAT|mkdir|creat\(|link' calls)" '' "... and creates nothing that is there"

done_testing
