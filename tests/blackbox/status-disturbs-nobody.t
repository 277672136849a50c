#!/usr/bin/env bash
# status: looking disturbs nobody (I6), and changes nothing.
. "$(dirname "$0")/lib.sh"

# So often `run -n` is tried on a free slot; more is more certain, and takes its time.
tries=${STATUS_TRIES:-200}
readonly lookers=20 most_seconds=60
if [[ -n ${STATUS_TRIES-} ]]; then kill "$watchdog"; fi

write_config <<<$'[slots]\nhw1 = 1\nhw2 = 2'
run "$grouplock" run -g hw1 -- true
run "$grouplock" run -g hw2 -- true

cat >bin/look <<'END'
#!/bin/bash
# look FORM: looks until the file `enough` is there; how often, and whether all went well
count=0
until [[ -e enough ]]; do
    "$grouplock" status "$@" >/dev/null || { echo "status $?"; exit 1; }
    ((++count))
done
echo "$count"
END
cat >bin/job <<'END'
#!/bin/sh
echo "start $1" >>trace
echo "end $1" >>trace
END
chmod 755 bin/look bin/job

forms=('' -J --prometheus)
for ((i = 0; i < lookers; i++)); do
    # shellcheck disable=SC2086 # no form is no argument
    spawn "looker$i" look ${forms[i % 3]}
done

# --- a free slot is never busy ------------------------------------------------
busy=0 tried=0 begun=$SECONDS
while ((tried < tries)) && { [[ -n ${STATUS_TRIES-} ]] || ((SECONDS - begun < most_seconds)); }; do
    run "$grouplock" run -g hw1 -n -- true
    ((++tried))
    if ((status)); then ((++busy)); diag "status $status: $err"; fi
done
is "$busy" 0 "with $lookers looking, run -n finds a free slot free ($tried tries)"
ok '((tried >= 20))' "... tried often enough"
run "$grouplock" run -g hw2 -c 2 -n -- true
is "$status:$err" 0: "... and two at once, too"

# --- a queue drains in order --------------------------------------------------
hold holder -g hw1
for i in {1..8}; do
    spawn "$i" "$grouplock" run -g hw1 -- job "$i"
    soon "queued $i" || die "'$i' should have queued"
done
end holder
for i in {1..8}; do finish "$i"; done
is "$(start_order)" 'holder 1 2 3 4 5 6 7 8' "a queue drains in its order"

touch enough
looks=0 failed=0
for ((i = 0; i < lookers; i++)); do
    finish "looker$i"
    if ((status == 0)); then ((looks += out)); else ((++failed)); diag "$out $err"; fi
done
is "$failed" 0 "all looks went well ($looks of them)"
ok '((looks >= lookers))' "... everybody has looked"

# --- nothing is changed -------------------------------------------------------
hold holder -g hw1
queue waiter -g hw1
queue killed -g hw1
end_by killed KILL
snapshot() {
    find locks -printf '%p %i %m %u %g %s %T@ %C@\n' | sort
    find locks -type f -exec sha256sum {} + | sort
}
snapshot >before
for form in '' -J --prometheus; do
    # shellcheck disable=SC2086
    run "$grouplock" status $form
    is "$status:$err" 0: "status $form"
done
ok 'snapshot | cmp - before' "... leaves all names, contents, modes and times as they were"
end holder
end waiter

done_testing
