#!/usr/bin/env bash
# What a call makes belongs to the directory's owner and group from the moment that others can see it,
# wherever the call is killed; and it makes nothing of what others have put there.
# shellcheck disable=SC2016 # what other shells run
lifetime=600
. "$(dirname "$0")/hostile.sh"

write_config <<'END'
[slots]
* = 1
[slots link]
* = 1
END
chmod 644 groups.ini

# as USER COMMAND...: as who is alone in a group of the same number.
cat >bin/as <<'EOT'
#!/bin/sh
user=$1
shift
exec setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"
EOT
chmod 755 bin/as

# --- killed on the way ---------------------------------------------------------------------------
# The call is killed before each of its system calls that change files; after each, another user is not shut out.
calls='mkdirat openat fchown fchmod renameat2 linkat unlinkat flock write pwrite64'
# killed_on_the_way NAME MODE OWNER GROUP FIRST OTHER: FIRST and OTHER are commands before `grouplock`.
killed_on_the_way() {
    local call nth shut_out='' wrong='' steps=0 found
    rm -rf locks
    install -d -m "$2" -o "$3" -g "$4" locks
    # shellcheck disable=SC2086 # words
    run $5 strace -qq -e "trace=${calls// /,}" grouplock run -g hw1 -n -- true
    # shellcheck disable=SC2013 # words
    for call in $(grep -o '^[a-z0-9]*' <<<"$err" | sort -u); do
        # By each name alone, since strace counts them so.
        for ((nth = 1; nth < 100; nth++)); do
            rm -rf locks
            install -d -m "$2" -o "$3" -g "$4" locks
            # shellcheck disable=SC2086 # words
            run $5 strace -qq -o /dev/null -e trace=$call -e "inject=$call:signal=KILL:when=$nth" \
                grouplock run -g hw1 -n -- true
            ((status == 137)) || break
            ((++steps))
            found=$(find locks -mindepth 1 -name '.*' -prune -o \( ! -group "$4" -o -perm /07 \) -printf '%p %m %u %G; ')
            [[ ! $found ]] || wrong+="before $call $nth: $found"$'\n'
            # shellcheck disable=SC2086
            run $6 grouplock run -g hw1 -n -- echo ran
            [[ $status:$out:$err == 0:ran: ]] || shut_out+="before $call $nth: $status $err"$'\n'
        done
    done
    ok "(($steps > 8))" "$1: killed before $steps system calls"
    is "$shut_out" '' "... wherever that was, another user is not shut out"
    is "$wrong" '' "... nor had anything that others see another group, or was open to all"
}
killed_on_the_way "a member, directory without setgid" 770 0 54321 'member 1' 'member 2'
killed_on_the_way "a member, directory with setgid" 2770 0 54321 'member 1' 'member 2'
killed_on_the_way "root in a group's directory" 770 0 54321 env 'member 2'
killed_on_the_way "root in a user's directory" 700 12341 12341 env 'as 12341'

# --- only what this very call has made -------------------------------------------------------------
# Root's own directory, moved to where a group's was looked for and not found: by a member who may.
rm -rf locks
install -d -m 2770 -g 54321 locks
install -d -m 700 secret
chmod 777 .
mv secret locks/hw1
before=$(stat -c '%a %u %g' locks/hw1)
run grouplock run -g hw1 -- true
is "$(stat -c '%a %u %g' locks/hw1)" "$before" "a directory of root's, moved into the place of a group's, stays as it is"
rm -rf locks
install -d -m 2770 -g 54321 locks
install -d -m 700 secret
# As if it were moved there between the look and the mkdir: the look does not find it.
run strace -qq -o calls -e trace=openat grouplock run -g hw1 -n -- true
nth=$(grep -n '"hw1"' calls | head -n 1 | cut -d: -f1)
rm -rf locks
install -d -m 2770 -g 54321 locks
mv secret locks/hw1
before=$(stat -c '%a %u %g' locks/hw1)
run strace -qq -o /dev/null -e trace=openat -e "inject=openat:error=ENOENT:when=$nth" grouplock run -g hw1 -n -- true
is "$(stat -c '%a %u %g' locks/hw1)" "$before" "... nor when the first look did not find it"
# Another's, in the place of the one that was just made.
rm -rf locks
install -d -m 2770 -g 54321 locks
install -d -m 700 -o 12341 -g 12341 locks/hw1
before=$(stat -c '%a %u %g' locks/hw1)
run strace -qq -o /dev/null -e trace=openat,mkdirat -e "inject=openat:error=ENOENT:when=$nth" \
    -e inject=mkdirat:retval=0:when=1 grouplock run -g hw1 -n -- true
is "$(stat -c '%a %u %g' locks/hw1)" "$before" "a directory of another's in the place of the one just made stays as it is"
chmod 755 .

# Several at once, in an empty directory, again and again: nobody is refused, and one at a time.
for round in 1 2 3; do
    rm -rf locks
    install -d -m 770 -o 12341 -g 54321 locks
    : >trace
    chmod 666 trace
    for i in 1 2 3 4 5 6; do
        case $((i % 3)) in
            0) who=(env) ;;
            *) who=(member $((i % 3))) ;;
        esac
        spawn first$i "${who[@]}" grouplock run -g hw1 -q -- sh -c "echo start $i >>trace; echo end $i >>trace"
    done
    failed=''
    for i in 1 2 3 4 5 6; do
        finish first$i
        [[ $status:$err == 0: ]] || failed+="$status $err;"
    done
    is "$failed:$(most_at_once):$(grep -c start trace)" :1:6 "six first calls at once of several users ($round)"
    is "$(find locks -mindepth 1 -name '.*' | wc -l)" 0 "... leave nothing else behind"
done

done_testing
