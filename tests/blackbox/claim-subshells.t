#!/usr/bin/env bash
# A subshell that evals a claim, and goes on, is the shell that the claim is bound to: it ends
# with the subshell; also where all of the script writes into a pipe, as in CI.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0

for shell in "${shells[@]}"; do
    build b "$shell"
    for form in '(%; :)' '{ %; } | cat' ': | { %; }' '(%; :) | cat' '(%; :) & wait $!' '(cd /; %; :)' '(:; (%; :); :)'; do
        steps='eval "$("$grouplock" claim -g hw1)"; "$grouplock" run -g hw1 -n -- echo in; flock -n "$GROUPLOCK_DIR/'$claimed'" true || echo held'
        does b "${form/\%/$steps}"
        is "$out:$err" $'in\nheld:' "$shell: ${form/\%/...}: a subshell claims for itself"
        ok 'all_free hw1 default 0' "... and its end frees the slot"
        does b 'echo ${GROUPLOCK_HELD-unset}'
        is "$out" unset "... and the shell around it has no claim"
    done
    tell b exit
    finish b
done

# The script's own stdout may be a pipe, as in CI, and then it is the subshell's, too.
cat >bin/logged <<'END'
#!/bin/sh
# logged SHELL: a build whose output goes into a log through a pipe.
"$1" bin/build b 2>&1 | cat >log
END
chmod 755 bin/logged
for shell in "${shells[@]}"; do
    rm -f b.do b.answer
    mkfifo b.do
    spawn logged logged "$shell"
    soon '[[ -e b.answer ]]' || die "'b' should wait for orders"
    for form in '"$grouplock" claim -g hw1' 'cd /; "$grouplock" claim -g hw1'; do
        does b "eval \"\$($form)\"; echo \$\$"
        pids[b]=$out
        bound "$shell, its stdout a pipe: \$($form)"
    done
    does b "($(claiming -g hw1); \"\$grouplock\" run -g hw1 -n -- echo in)"
    is "$status:$out" 0:in "... a subshell claims for itself"
    ok 'all_free hw1 default 0' "... and its end frees the slot"
    unset 'pids[b]'
    tell b exit
    finish logged
done

done_testing
