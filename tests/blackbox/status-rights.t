#!/usr/bin/env bash
# status: the right to read is enough, and whoever has less is told.
. "$(dirname "$0")/lib.sh"

write_config <<<$'[slots]\nhw1 = 1\nhw2 = 1\nhw3 = 1'
chmod 644 groups.ini
fresh_locks 0755
install -m 755 "$grouplock" bin/grouplock

# reader COMMAND...: runs it as somebody who may read locks/ and not write there.
if ((EUID == 0)); then
    reader() { run setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
else
    reader() {
        chmod -R a-w locks
        run "$@"
        chmod -R u+w locks
    }
fi

hold a -g hw1
queue b -g hw1
queue c -g hw1
hold d -g hw2
end d
soon 'slot_free hw2 default 0' || die "the slot of hw2 should be free"

reader touch locks/hw1/default/gate
ok '((status != 0))' "who may not write ..."
for form in '' -J --prometheus; do
    # shellcheck disable=SC2086 # no form is no argument
    run "$grouplock" status $form
    full=$(sed -E 's/[0-9.]+s? +hold|"(age|time)": .*|seconds\{(.*)\} .*/\2/' <<<"$out")
    # shellcheck disable=SC2086
    reader bin/grouplock status $form
    is "$status:$err" 0: "... looks without an error (status $form)"
    is "$(sed -E 's/[0-9.]+s? +hold|"(age|time)": .*|seconds\{(.*)\} .*/\2/' <<<"$out")" "$full" "... and sees all"
done
is "$(tr -s ' ' <<<"$full" | sed -n 's/^grouplock_waiters{group="hw1".*} //p')" 2 "... waiters too"

if ((EUID == 0)); then
    # A group of locks/ that is not for everybody.
    chmod 700 locks/hw2/default
    reader bin/grouplock status
    is "$status" 1 "a lock whose directory one may not read: status 1"
    like "$err" "^grouplock: hw2: .*'?$dir/locks/hw2.*Permission denied$" "... said on stderr"
    is "$(tail -n +2 <<<"$out" | cut -d ' ' -f 1 | uniq | paste -sd ' ')" 'hw1 hw3' "... and the others are shown"
    chmod 755 locks/hw2/default
    chmod 600 locks/hw2/default/slot.0
    reader bin/grouplock status -g hw2
    is "$status" 1 "a slot that one may not read: status 1"
    like "$err" "^grouplock: hw2: cannot open '$dir/locks/hw2/default/slot.0': Permission denied$" "... said on stderr"
    chmod 644 locks/hw2/default/slot.0
    chmod 700 locks/hw1
    reader bin/grouplock status
    is "$status" 1 "a group whose directory one may not read: status 1"
    like "$err" 'hw1.*Permission denied' "... said on stderr"
    chmod 755 locks/hw1
    # The same of one that only the directory knows, between others of which that is true.
    "$grouplock" run -g aa -- true
    "$grouplock" run -g zz -- true
    mkdir -m 700 locks/mm
    reader bin/grouplock status
    is "$status:$err" "1:grouplock: cannot read directory '$dir/locks/mm': Permission denied" "a group that is not in the file: status 1"
    is "$(tail -n +2 <<<"$out" | cut -d ' ' -f 1 | uniq | paste -sd ' ')" 'aa hw1 hw2 hw3 zz' "... and the others are shown"
    reader bin/grouplock status -g zz
    is "$status:$err:$(wc -l <<<"$out")" "0::2" "... who does not ask for it is not told"
    reader bin/grouplock status -g mm
    like "$status:$err" "^1:grouplock: .*'$dir/locks/mm': Permission denied" "... who does is told why it is not shown"
    chmod 700 locks
    reader bin/grouplock status
    refused "a directory that one may not read" "$dir/locks" 'Permission denied'
else
    skip "not root: cannot become another user"
fi

done_testing
