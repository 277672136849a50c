#!/usr/bin/env bash
# check: what it says of the directory: owner, mode, what is in it, and the file
# system that it is on.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END
install -m 755 "$grouplock" bin/grouplock
chmod 755 . bin
chmod 644 groups.ini

# check [ARG...]
check() {
    run grouplock check "$@"
}

# says_line REGEX NAME: a line of what was printed matches.
says_line() {
    grep -Eq -- "$1" run.out
    verdict $? "$2" || diag "no line matches: $1"$'\n'"$out"
}

# says_nothing REGEX NAME
says_nothing() {
    ! grep -Eq -- "$1" run.out
    verdict $? "$2" || diag "a line matches: $1"$'\n'"$out"
}

# mounted SCRIPT: with the right to mount, in a mount namespace of its own. The
# tests' directory is below /tmp, of which check warns: /mnt is not.
mounted() {
    if ((EUID == 0)); then run unshare -m sh -c "$1"; else run unshare -rm sh -c "$1"; fi
}

# in_mnt MODE [OPTION...]: check of a directory of that mode that is seen as /mnt.
in_mnt() {
    fresh_locks "$1"
    shift
    mounted "mount --bind locks /mnt && exec grouplock check -d /mnt $*"
}

# as USER COMMAND...: as a user without any rights; only root may.
as() {
    setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

# --- it is there --------------------------------------------------------------
in_mnt 2770 --strict
is "$status:$err" 0: "a directory as it should be: status 0 under --strict"
is "$(grep -vc '^ok: ' run.out)" 0 "... with nothing but ok"
says_line "^ok: directory '/mnt' \(-d\) exists" "... it is there"
says_line "^ok: user '.*' can create and write files there" "... it can be written"
says_line "^ok: a lock excludes: a second process on this machine is refused it" "... a lock excludes"
says_line "^ok: a lock blocks and wakes: .* had it [0-9]+\.[0-9]+ ms after its release" "... and wakes, with the time"
says_line "^ok: a lock ends with its process: it was free [0-9]+\.[0-9]+ ms after a kill" "... and ends with its process"
is "$(find locks -mindepth 1)" '' "... and nothing is left in it"
check
says_line "^ok: owner '$(id -un)', group '$(id -gn)', mode 2770: only its owner and the members of its group" "owner and mode are told"
says_line "^ok: user '$(id -un)' can create and write files there" "... and who asks"
check -d "$dir/missing"
is "$status" 1 "a missing directory: status 1"
says_line "^error: no directory '$dir/missing': create it .*install -d -m 2770 -g GROUP $dir/missing" "... and what to do"
ok '[[ ! -e missing ]]' "... it is not created"
: >file
check -d file
is "$status" 1 "a file for a directory: status 1"
says_line "^error: cannot open directory 'file': Not a directory" "... is told"

# --- owner and mode -----------------------------------------------------------
# mode MODE LEVEL REGEX NAME: the only finding that is not ok, or none.
mode() {
    in_mnt "$1"
    is "$(grep -v '^ok: ' run.out | sed 's/:.*//' | paste -sd ' ')" "$2" "mode $1: $4" || diag "$out"
    if [[ -n $3 ]]; then says_line "^$2: $3" "... says why"; fi
}

mode 0700 '' '' "its owner alone"
says_line "^ok: .*mode 0700: only its owner can take part" "... is told"
mode 3770 '' '' "setgid and sticky"
mode 0770 warning "not setgid: .*: chmod g\+s '/mnt'" "not setgid"
mode 1777 warning "everybody can write there, so anybody can hold a slot for ever; use" "open to everybody, sticky"
says_line "^ok: .*mode 1777: everybody can take part" "... is told"
mode 0777 warning "everybody can write there, .*, or remove the file of a held slot" "open to everybody"
mode 0755 warning "everybody can read there, .*: chmod o-rwx '/mnt'" "everybody can read"
says_nothing 'members of group' "... of which the group is a part"
mode 2775 warning "everybody can read there" "everybody can read, the group can write"
mode 2750 warning "members of group '.*' can read there but not write" "the group can read"
mode 2710 '' '' "the group cannot read"

# --- what is in it ------------------------------------------------------------
# made [MODE]: a directory in which somebody ran.
made() {
    fresh_locks "${1:-2770}"
    run grouplock run -g hw1 -- true
    [[ $status == 0 ]] || die "a run should have worked: $err"
    place=locks/hw1/default
}

# tree LEVEL REGEX NAME: check has a line about what is in the directory.
tree() {
    check
    says_line "^$1: $2" "$3"
}

made
tree ok 'the modes and owners of what is in it agree \(4 checked\)' "what run made agrees"
made 0700
tree ok 'the modes and owners of what is in it agree' "... of mode 0700 too"
made
chmod 664 $place/slot.0
tree warning "'$dir/$place/slot.0' has mode 0664, more than .*: chmod 660 '$dir/$place/slot.0'" "a file that everybody can read"
made
chmod 600 $place/gate
tree error "'$dir/$place/gate' has mode 0600, so some .*: chmod 660 " "a file that is shut to the group"
is "$status" 1 "... which is an error"
made
chmod 2700 locks/hw1
tree error "'$dir/locks/hw1' has mode 2700, .*: chmod 2770 '$dir/locks/hw1'" "a group's directory that is shut"
made
chmod 2777 $place
tree warning "'$dir/$place' has mode 2777, more than" "a lock's directory that is open"
made
ln $place/slot.0 linked
tree error "'$dir/$place/slot.0' has other hard links" "a file with another name"
rm linked
made
rm $place/gate
mkfifo $place/gate
tree error "'$dir/$place/gate' is not a regular file" "a FIFO for the gate"
made
rm $place/slot.0
ln -s "$dir/groups.ini" $place/slot.0
tree error "'$dir/$place/slot.0' is not a regular file" "a symlink for a slot"

made
mkdir -m 755 locks/lost+found locks/other locks/other/dir
mkdir -m 755 locks/lost+found/dir
touch locks/README locks/hw1/README locks/other/dir/file locks/lost+found/dir/gate
tree ok 'the modes and owners of what is in it agree \(4 checked\)' "what is not grouplock's is nobody's business"
made
for i in {1..30}; do (umask 077; : >"$place/ticket.$i"); done
check
is "$(grep -c "^error: '$dir/$place/ticket" run.out)" 20 "of many that disagree the first twenty are told"
says_line "^error: and so on: 10 more like these" "... and how many there are"

if ((EUID == 0)); then
    chmod 777 .
    made 0700
    chown 12345 locks
    check
    says_line "^error: '$dir/$place/slot.0' belongs to 'root', so the directory's owner is shut out: chown '12345'" \
        "a directory of one user in which root ran"
    chown -R 12345 locks
    run as 12345 grouplock check
    says_line "^ok: the modes and owners" "... is good when it is given back"
    says_line "^ok: user '12345' can create" "... for that user too"
    made
    chgrp 54321 $place/gate
    tree error "'$dir/$place/gate' has group '54321', so the directory's group is shut out: chgrp 'root'" "a file of another group"
    made
    chmod 700 locks/hw1
    chown 12345 locks
    run as 12345 grouplock check
    says_line "^warning: cannot read directory '$dir/locks/hw1': Permission denied" "a directory that cannot be looked into"

    fresh_locks 755
    run as 12345 grouplock check
    is "$status" 1 "a directory that the user cannot write: status 1"
    says_line "^error: user '12345': cannot open '.*/locks/.check-.*': Permission denied; become a member of its group" "... and what to do"
    fresh_locks 700
    run as 12345 grouplock check
    is "$status" 1 "a directory that the user cannot enter: status 1"
    says_line "^error: cannot open directory '$dir/locks': Permission denied" "... is told"
    chmod 755 .
else
    skip "users and groups: only root can be several users"
fi

# --- the file system ----------------------------------------------------------
fresh_locks 2770
mounted 'mount --bind locks /tmp && exec bin/grouplock check -f groups.ini -d /tmp'
says_line "^warning: /tmp is cleaned: .*PrivateTmp" "/tmp"
is "$status" 0 "... is no error"
mounted 'mount --bind locks /tmp && exec bin/grouplock check -f groups.ini -d /tmp --strict'
is "$status" 1 "... but under --strict"
mounted 'ln -s /var/tmp/locks linked && mount -t tmpfs -o mode=755 x /var/tmp && mkdir -m 2770 /var/tmp/locks &&
    exec bin/grouplock check -f groups.ini -d linked'
says_line "^warning: /var/tmp is cleaned" "a symlink to a directory below /var/tmp"
says_line "^ok: file system tmpfs, mounted on '/var/tmp' \(rw,.*\): .* empty after a reboot" "tmpfs"
mounted 'mkdir -p systemd-private-x/tmp && chmod 2770 systemd-private-x/tmp && mount --bind systemd-private-x/tmp /mnt &&
    exec grouplock check -d /mnt'
says_line "^warning: this is the private /mnt of one service \(PrivateTmp\)" "a private /tmp"

mkdir lower upper work
mounted 'mount -t tmpfs x work && mkdir work/upper work/work &&
    mount -t overlay -o lowerdir=lower,upperdir=work/upper,workdir=work/work x /mnt &&
    chmod 2770 /mnt && exec grouplock check -d /mnt --strict'
is "$status" 1 "overlay: status 1 under --strict"
says_line "^warning: file system overlay, mounted on '/mnt' \(.*\): this is the private layer of one container" "... is warned of"
says_line "^ok: a lock excludes" "... although a lock excludes in it"

in_mnt 2770
says_line "^ok: file system [a-z0-9]+, mounted on '/mnt' \(rw,.*\): " "a bind mount is found by what it is"
if ((EUID == 0)); then
    mounted 'mount --bind locks /mnt && mount -t tmpfs x "$PWD/lower" && mount --move "$PWD/lower" /proc &&
        exec grouplock check -d /mnt'
    says_line "^warning: file system [a-z0-9]+, its options unknown since /proc does not show them" "without /proc"
    says_line "^ok: a lock blocks and wakes" "... locks are tried all the same"
    says_line "groups.ini: error: cannot check the lines of a file without /proc" "... but no config"
else
    skip "without /proc: only root can hide it"
fi

mounted 'mount --bind locks /mnt && mount -o remount,bind,ro /mnt && exec grouplock check -d /mnt'
is "$status" 1 "a read-only file system: status 1"
says_line "^error: user '.*': cannot open '/mnt/.check-.*': Read-only file system; mount it writable" "... and what to do"
mounted 'mount -t tmpfs -o nr_inodes=1,mode=2770 x /mnt && exec grouplock check -d /mnt'
is "$status" 1 "a file system without room for files: status 1"
says_line "^error: user '.*': cannot open '/mnt/.check-.*': No space left on device; make room" "... and what to do"
mounted 'mount -t tmpfs -o size=16k,mode=2770 x /mnt && head -c 16384 /dev/zero >/mnt/filler &&
    grouplock check -d /mnt; echo $?; ls -A /mnt'
like "$out" $'\n1\nfiller$' "a file system without room for data: status 1, and the file is removed"
says_line "^error: user '.*': cannot write to '/mnt/.check-.*': No space left on device; make room" "... and what to do"

# --- it changes nothing and is in nobody's way --------------------------------
made
hold holder -g hw1
queue waiter -g hw1
before=$(find locks -printf '%p %i %m %s %T@\n' | grep -v '^locks ' | sort)
check
is "$status" 0 "check while somebody holds and waits"
is "$(find locks -printf '%p %i %m %s %T@\n' | grep -v '^locks ' | sort)" "$before" "... changes nothing"
run strace -f -qq -y -e trace=flock -o calls grouplock check
ok 'grep -q "flock(.*/[.]check-" calls' "... and locks a file of its own"
is "$(grep 'flock(' calls | grep -v '/[.]check-')" '' "... and no other"
end holder
end waiter
is "$(start_order)" 'holder waiter' "... and the queue goes on"

done_testing
