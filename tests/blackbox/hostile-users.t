#!/usr/bin/env bash
# Hostile neighbours: several users of one directory, root among them, each with an umask of its
# own, and what one of them claims to hold.
. "$(dirname "$0")/hostile.sh"

write_config <<'END'
[slots]
* = 1
END
chmod 666 trace

# modes: the modes and groups of all that is in the directory, by type.
modes() { find locks -mindepth 1 -printf '%y %m %G\n' | sort -u | paste -sd ,; }

# --- root beside users --------------------------------------------------------------------------------
# first MODE WHO...: the first call in an empty directory, with an umask of no bits or of all; then
# everybody can use what that made, and it belongs to the directory's group.
first() {
    local mode=$1 umask who
    for umask in 077 000 777; do
        fresh_locks "$mode"
        chgrp 54321 locks
        run "${@:2}" sh -c "umask $umask; exec grouplock run -g hw1 -- true"
        is "$status:$err:$(modes)" "0::d $mode 54321,f 660 54321" "umask $umask, directory $mode, first ${*:2}"
        for who in 'member 1' 'member 2' env; do
            # shellcheck disable=SC2086 # a function and its argument
            run $who grouplock run -g hw1 -- echo ran
            is "$status:$out:$err" 0:ran: "... then $who"
        done
    done
}
for mode in 2770 770; do
    first $mode env
    first $mode member 1
done

# In the queue, all of them.
fresh_locks 2770
chgrp 54321 locks
for name in root a b; do mkfifo -m 666 $name.go; done
chmod 777 .
start_as() {
    spawn "$1" "${@:2}" sh -c "umask 077; exec grouplock run -g hw1 -- hold $1"
}
start_as root env
starts root || die "'root' should have started"
start_as a member 1
soon 'queued a' || die "'a' should have queued"
start_as b member 2
soon 'queued b' || die "'b' should have queued"
ok 'still_waits a b' "members wait for root"
end root
ok 'starts a' "... and come in order"
ok 'still_waits b' "... one at a time"
end a
end b
is "$(start_order)" 'root a b' "... all of them"
chmod 755 .

# --- fs.protected_regular -----------------------------------------------------------------------------
# In a sticky directory that anybody may write to, O_CREAT on another's file would fail where the
# sysctl is 1 or 2. It is the whole machine's, so it is not changed here: what must not be done is
# looked for in the system calls.
diag "fs.protected_regular is $(</proc/sys/fs/protected_regular) here"
fresh_locks 1777
run member 1 grouplock run -g hw1 -- true
for who in 'member 2' outsider env; do
    # shellcheck disable=SC2086
    run $who strace -f -qq -e trace=open,openat,openat2,creat grouplock run -g hw1 -- true
    is "$status:$(grep -c 'gate.*O_RDWR' run.err):$(grep -c 'openat([0-9].*O_CREAT' run.err)" 0:1:0 "a sticky directory: $who creates nothing that is there"
done

# --- forged variables ---------------------------------------------------------------------------------
fresh_locks 2770
chgrp 54321 locks
mkfifo -m 666 holder.go
chmod 777 .
spawn holder member 1 grouplock run -g hw1 -- hold holder
starts holder || die "'holder' should have started"
chmod 755 .
held=$(environ holder GROUPLOCK_HELD)
id=$(sed -n 's/^id //p' $place/slot.0)
like "$held" '^hw1/default/slot\.0=[0-9a-f]{32}$' "the holder's variable"
forge() {
    run member 2 env GROUPLOCK_HELD="$2" GROUPLOCK_SLOT=0 GROUPLOCK_GROUP=hw1 GROUPLOCK_CLAIM="${id:0:8}" \
        grouplock run -q -n -g hw1 -- touch ran
    is "$status:$out:$err" 75:: "a forged GROUPLOCK_HELD, $1: nobody is let in"
}
forge 'the id that the record shows' "hw1/default/slot.0=$id"
forge 'no secret' 'hw1/default/slot.0='
forge 'a secret of zeros' 'hw1/default/slot.0=00000000000000000000000000000000'
forge 'another slot' "hw1/default/slot.1=${held#*=}"
forge 'another lock' "hw1/link/slot.0=${held#*=}"
forge 'another case' "HW1/default/slot.0=${held#*=}"
forge 'a path' "hw1/default/../default/slot.0=${held#*=}"
forge 'a file of its own' "../../tmp/slot.0=${held#*=}"
forge 'a hundred thousand bytes' "$(head -c 100000 /dev/zero | tr '\0' x)"
forge 'control characters' $'hw1/default/slot.0=\e[31m\n'"$id"
ok '[[ ! -e ran ]]' "nothing ran"

# The right variable, but of another directory: there it says nothing.
mkdir -m 2770 foreign
chgrp 54321 foreign
run member 2 env GROUPLOCK_HELD="$held" grouplock run -d "$dir/foreign" -g hw1 -- sh -c 'echo "$GROUPLOCK_HELD"'
like "$status:$out" '^0:hw1/default/slot\.0=[0-9a-f]{32}$' "the variable of a call in another directory: an ordinary call"
unlike "$out" "${held#*=}" "... with a secret of its own"
mkfifo -m 666 other.go
chmod 777 .
spawn other member 1 grouplock run -d "$dir/foreign" -g hw1 -- hold other
starts other || die "'other' should have started"
chmod 755 .
run member 2 env GROUPLOCK_HELD="$held" grouplock run -d "$dir/foreign" -q -n -g hw1 -- touch ran
is "$status:$out:$err" 75:: "... which waits where somebody holds"
end other

# --- the dynamic linker's variables -------------------------------------------------------------------
for variable in LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GCONV_PATH MALLOC_TRACE; do
    run member 2 env "$variable=$dir/evil.so" grouplock run -q -n -g hw1 -- touch ran
    # 127: the loader of a dynamic program does not like that file.
    like "$status:$out" '^(75|127):$' "$variable is no way past a holder"
done
end holder
ok '[[ ! -e ran ]]' "nothing ran"
run member 2 env LD_AUDIT= MALLOC_TRACE=x grouplock run -g hw1 -- sh -c 'echo "$MALLOC_TRACE"'
is "$status:$out" 0:x "... and they are the command's"
done_testing
