#!/usr/bin/env bash
# Hostile neighbours: what is no file of grouplock's and a member of the build group plants for the others, root among them.
# run-directory.t has what a caller plants for itself.
. "$(dirname "$0")/hostile.sh"

write_config <<'END'
[slots]
* = 1
END

# --- no regular file ----------------------------------------------------------------------------------
# A file that is precious to root: what stands in it and how, in one line.
printf 'root:x:0:0:root:/root:/bin/sh\n' >passwd
chmod 644 passwd
precious() { echo "$(<passwd) $(stat -c '%a %u %g %h %s' passwd)"; }

plant() {
    case $1 in
        'symbolic link to a file of root') member 1 ln -s "$dir/passwd" "$2" ;;
        'hard link to a file of root') ln passwd "$2" ;;
        terminal) mknod "$2" c 5 0 ;;
        disk) mknod "$2" b 7 200 ;;
        FIFO) member 1 mkfifo -m 666 "$2" ;;
        directory) member 1 mkdir "$2" ;;
    esac
}
for file in gate slot.0 ticket.1; do
    for kind in 'symbolic link to a file of root' 'hard link to a file of root' terminal disk FIFO directory; do
        fresh_group
        if [[ $file == ticket.1 ]]; then hold holder -g hw1; fi
        plant "$kind" "$place/$file"
        before=$(precious)
        run timeout 60 grouplock run -g hw1 -t 20 -- touch ran
        refused "$kind for $file: root is refused" "$place/$file"
        run member 2 timeout 60 grouplock run -g hw1 -t 20 -- touch ran
        refused "$kind for $file: a member is refused" "$place/$file"
        is "$(precious)" "$before" "... and root's file is as it was"
        if [[ $file == ticket.1 ]]; then end holder; fi
    done
done
ok '[[ ! -e ran ]]' "nothing ran"
# --- who is not in the group --------------------------------------------------------------------------
run outsider grouplock run -g hw1 -- touch ran
refused "an outsider does not run" locks 'Permission denied'
run outsider flock -n $place/slot.0 true
ok '((status != 0))' "... nor lock a slot"
run outsider flock -sn $place/gate true
ok '((status != 0))' "... nor share the gate"
run outsider ls locks
ok '((status != 0))' "... nor see who builds"
ok '[[ ! -e ran ]]' "nothing ran"

done_testing
