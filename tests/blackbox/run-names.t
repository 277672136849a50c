#!/usr/bin/env bash
# Claims 4: slots with names. A name is a file for ever, however the list changes.
. "$(dirname "$0")/lib.sh"

six='kit-a kit-b kit-c kit-d kit-e kit-f'
# kits LIST: the config with that list.
kits() {
    printf '[slots devkit]\nhw2 = %s\n[slots other-kit]\nhw2 = %s\n' "$1" "$1" | write_config
}

# told NAME: the kits that the holder was told, in order of the alphabet.
told() {
    environ "$1" GROUPLOCK_SLOT_DEVKIT | tr ' ' '\n' | sort | paste -sd ' '
}

# --- which they are -----------------------------------------------------------
kits "$six"
run "$grouplock" run -g hw2 -l devkit=4 -- sh -c 'env | grep ^GROUPLOCK_SLOT | sort'
is "$out" $'GROUPLOCK_SLOT=kit-a kit-b kit-c kit-d\nGROUPLOCK_SLOT_DEVKIT=kit-a kit-b kit-c kit-d' \
    "four of six kits, by name"
hold four -g hw2 -l devkit=4
hold two -g hw2 -l devkit=2
is "$(echo "$(told four) $(told two)" | tr ' ' '\n' | sort | paste -sd ' ')" "$six" "two commands share out the six"
for kit in $(told four); do
    ok "! slot_free hw2 devkit $kit" "$kit, which was told, is held"
done
run "$grouplock" run -g hw2 -n -l devkit -- true
is "$status" 75 "a seventh kit there is not"
run "$grouplock" run -g hw2 -n -l other-kit=6 -- printenv GROUPLOCK_SLOT_OTHER_KIT
is "$out" "$six" "another lock's kits are other kits, whatever their names"
end two
run "$grouplock" run -g hw2 -n -l devkit=2 -- printenv GROUPLOCK_SLOT
is "$status:$out" '0:kit-e kit-f' "those that are free are told"
end four
hold b -g hw2 -l devkit=3
hold other -g hw2 -l devkit
end b
run "$grouplock" run -g hw2 -n -l devkit=4 -- printenv GROUPLOCK_SLOT_DEVKIT
is "$status:$out" '0:kit-a kit-b kit-c kit-e' "... the free ones around one that is held"
end other

# --- the list changes ---------------------------------------------------------
hold two -g hw2 -l devkit=2
is "$(told two)" 'kit-a kit-b' "two kits held"
for list in 'kit-f kit-e kit-d kit-c kit-b kit-a' 'kit-g kit-b kit-a kit-h' 'kit-h KIT-A x kit-B y'; do
    kits "$list"
    count=$(wc -w <<<"$list")
    run "$grouplock" run -g hw2 -n -l devkit=$((count - 2)) -- printenv GROUPLOCK_SLOT_DEVKIT
    is "$status" 0 "list '$list': all the others are free"
    is "$(tr ' ' '\n' <<<"$out" | grep -Ecx 'kit-[ab]')" 0 "... and the two held are not told again"
    run "$grouplock" run -g hw2 -n -l devkit=$((count - 1)) -- true
    is "$status" 75 "... and no more than those"
done
kits 'kit-a'
run "$grouplock" run -g hw2 -n -l devkit -- true
is "$status" 75 "the list shortened to one that is held"
kits 'kit-c'
run "$grouplock" run -g hw2 -n -l devkit -- printenv GROUPLOCK_SLOT
is "$status:$out" 0:kit-c "a name struck off the list is no longer counted"
kits "$six"
run "$grouplock" run -g hw2 -n -l devkit=5 -- true
is "$status" 75 "put back on it, it is still held"
end two
run "$grouplock" run -g hw2 -n -l devkit=6 -- true
is "$status" 0 "... until its holder ends"

# While somebody waits.
kits 'kit-a kit-b'
hold a -g hw2 -l devkit
hold b -g hw2 -l devkit
queue next -g hw2 -l devkit
queue after -g hw2 -l devkit
kits 'kit-c kit-b kit-a'
ok 'starts next' "a name added while somebody waits lets the first in"
is "$(told next)" kit-c "... who is told that name"
ok 'still_waits after' "... and nobody else"
end b
ok 'starts after' "the next comes with the next kit"
is "$(told after)" kit-b "... the one that came free"
for name in a next after; do end $name; done

# --- never the same kit twice -------------------------------------------------
cat >bin/job <<'END'
#!/bin/sh
printf 'start %s\n' $GROUPLOCK_SLOT_DEVKIT >>trace
sleep 0.01
printf 'end %s\n' $GROUPLOCK_SLOT_DEVKIT >>trace
END
chmod 755 bin/job
lists=("$six" 'kit-f kit-e kit-d kit-c kit-b kit-a' 'kit-c kit-x kit-a kit-e kit-y kit-b kit-d kit-f'
    'kit-x kit-y kit-a kit-b')
: >trace
for i in {1..60}; do
    kits "${lists[i / 4 % 4]}"
    spawn "job$i" "$grouplock" run -q -g hw2 -l devkit=$((i % 4 + 1)) -- job
done
failed=0
for i in {1..60}; do
    finish "job$i"
    ((status == 0)) || { ((++failed)); diag "$err"; }
done
is "$failed" 0 "sixty commands while the list changes"
for kit in $six kit-x kit-y; do
    is "$(most_at_once "^$kit\$")" 1 "... $kit was told to one at a time"
done

done_testing
