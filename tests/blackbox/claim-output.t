#!/usr/bin/env bash
# What claim prints is safe to eval in any shell, whatever bytes the names hold.
. "$(dirname "$0")/claim.sh"

odd_names
run "$grouplock" run -g hw1 -l odd=all -- sh -c 'printf %s "$GROUPLOCK_SLOT"'
is "$status" 0 "a config with odd names of slots is accepted"
labels=$out
read -ra words <<<"${labels//\\/\\\\}"
is "${#words[@]}" "${#odd_slots[@]}" "... all ${#odd_slots[@]} of them"

shell_has='printf "%s\n" "$GROUPLOCK_WORKER" "$GROUPLOCK_GROUP" "$GROUPLOCK_SLOT"'

for shell in "${shells[@]}" 'bash --posix'; do
    # --- slots ----------------------------------------------------------------------------
    # shellcheck disable=SC2086 # words
    run $shell -c "$(claiming -g hw1 -w w -l odd=all); $shell_has; printenv GROUPLOCK_SLOT GROUPLOCK_SLOT_ODD"
    is "$status:$err" 0: "$shell: eval of a claim of slots with odd names"
    is "$out" "w
hw1
$labels
$labels
$labels" "... gives them as a command of run has them"
    ok 'all_free hw1 odd' "... and they are free again"

    # --- workers and groups -----------------------------------------------------------------
    bad=()
    for name in "${odd_workers[@]}"; do
        GROUPLOCK_WORKER=$name run "$grouplock" run -g "${name//\//}" -- sh -c "$shell_has"
        expected=$status:$out
        # shellcheck disable=SC2086
        GROUPLOCK_WORKER=$name run $shell -c "$(claiming -g '"$GROUPLOCK_WORKER"'); $shell_has; \"\$grouplock\" run -g \"\$GROUPLOCK_GROUP\" -n true"
        [[ $status:$out == "$expected" && $status == 0 && $err == '' ]] || bad+=("$name: $status:$out$err, not $expected")
    done
    is "${#bad[@]}" 0 "... ${#odd_workers[@]} odd names of workers and groups, too, under which steps pass" || diag "${bad[@]}"

    # A shell that is not in its usual state.
    # shellcheck disable=SC2086
    run $shell -c "IFS=\"g='\"; set -fu; readonly foo=1; $(claiming -g "hw1 -w \"it's\" -l odd"); $shell_has"
    is "$status:$out" "0:it's
hw1
it's" "... with another IFS, set -fu"
done
ok '[[ ! -e ran && ! -e /ran ]]' "no name was executed"

# --- one line a variable --------------------------------------------------------------------
run "$grouplock" claim -g "it's" -w '$(x)' -l my-lock.2=2 -l default -l größe
is "$status:$err" 0: "a claim of several locks"
is "$(grep -vcE "^([A-Z][A-Z0-9_]*)='([^']|'\\\\'')*'; export [A-Z][A-Z0-9_]*\$" run.out)" 0 "... prints lines of one form"
is "$(sed -E 's/^([A-Z0-9_]*)=.*; export (.*)/\1 \2/' run.out | awk '$1 != $2 { print } { print $1 }' | paste -sd ' ')" \
    "GROUPLOCK_WORKER GROUPLOCK_GROUP GROUPLOCK_SLOT_MY_LOCK_2 GROUPLOCK_SLOT GROUPLOCK_SLOT_DEFAULT GROUPLOCK_SLOT_GR____E GROUPLOCK_HELD GROUPLOCK_CLAIM" \
    "... for the variables"
run "$grouplock" release "$(said_value CLAIM)"

done_testing
