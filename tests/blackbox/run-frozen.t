#!/usr/bin/env bash
# A head in a frozen cgroup, as `docker pause` and `systemctl freeze` make them, does not look stopped and goes on no
# more than one that is: who waits behind it says so.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END

# Both kinds of hierarchy, where there are. $freezer is a cgroup of the test's own.
freezer=
make_freezer() {
    local mounted
    mounted=$(findmnt -no TARGET -t "$1" ${2:+-O "$2"} | head -n 1)
    freezer=${mounted:+$mounted/grouplock-test.$$}
    [[ $mounted ]] && mkdir "$freezer" 2>/dev/null && [[ -e $freezer/cgroup.freeze || -e $freezer/freezer.state ]]
}
freeze() {
    if [[ -e $freezer/cgroup.freeze ]]; then
        echo 1 >"$freezer/cgroup.freeze"
        soon 'grep -q "^frozen 1" "$freezer/cgroup.events"'
    else
        echo FROZEN >"$freezer/freezer.state"
        soon '[[ $(<"$freezer/freezer.state") == FROZEN ]]'
    fi
}
thaw() {
    if [[ -e $freezer/cgroup.freeze ]]; then echo 0 >"$freezer/cgroup.freeze"; else echo THAWED >"$freezer/freezer.state"; fi
}
remove_freezer() {
    [[ ! $freezer || ! -d $freezer ]] || { thaw; soon 'rmdir "$freezer"'; }
} 2>/dev/null
trap 'thaw 2>/dev/null; cleanup; remove_freezer' EXIT

tried=0
for kind in cgroup2 'cgroup freezer'; do
    # shellcheck disable=SC2086
    if ! make_freezer $kind; then
        remove_freezer
        skip "no freezer of $kind that can be used here"
        continue
    fi
    tried=1
    : >trace
    hold holder -g hw1
    queue head -g hw1
    queue second -g hw1 --heartbeat 0.2
    queue third -g hw1 --heartbeat 0.2
    echo "${pids[head]}" >"$freezer/cgroup.procs"
    freeze || die "'head' should be frozen"
    ok 'lives_on second 5' "$kind: the head is frozen while the slot is held"
    is "$(said second stopped)" 0 "... which is nobody's business yet"
    end holder
    ok 'says second "^grouplock: hw1 has free slots, but the head of the queue, pid ${pids[head]} on $(uname -n), seems to be stopped"' \
        "a free slot that a frozen head does not take: who waits behind it says so"
    ok 'says third "pid ${pids[head]} on .*, seems to be stopped"' "... and so do those behind that"
    ok 'still_waits second third' "... nobody passes it"
    thaw
    ok 'starts head' "thawed, it takes its slot"
    before=$(said second stopped)
    ok 'lives_on second 5' "... the others wait on"
    is "$(said second stopped)" "$before" "... and call nobody stopped"
    end head
    end second
    end third
    is "$(start_order)" 'holder head second third' "the order of it all"
    remove_freezer
done
((tried)) || { skip "no frozen head could be tried"; done_testing; }

# A head that goes on is not called stopped, however often others look.
queue_of=(a b c d e f)
hold holder -g hw1
for name in "${queue_of[@]}"; do queue "$name" -g hw1 --heartbeat 0.01; done
end holder
for name in "${queue_of[@]}"; do end "$name"; done
is "$(cat ./?.err | grep -c stopped)" 0 "heads that take their slots are not called stopped"

done_testing
