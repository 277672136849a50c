#!/usr/bin/env bash
# A claim in a pipeline, or in a group within a command substitution, is bound to the shell
# that reads it, and not to the subshells that end with the pipeline.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END

for shell in "${shells[@]}"; do
    build b "$shell"
    does b 'claim() { "$grouplock" claim -g hw1; }'
    for form in 'claim | cat' '"$grouplock" claim -g hw1 | cat' 'cat /dev/null | claim' 'claim | sed p | cat' 'claim | tee copy' \
        'cd /; claim | cat' '(claim | cat); :' '(claim; :) | cat' '{ claim; :; } | { cat; }' 'claim | while read -r l; do echo "$l"; done' \
        'claim 2>&1 | cat' 'claim | grep -v "^GROUPLOCK_SLOT=" | sort'; do
        does b "eval \"\$( $form)\""
        bound "$shell: \$( $form)"
    done
    # A subshell that reads a claim may as well eval it: nobody can tell. So the claim is the subshell's.
    does b 'eval "$( x=$(claim) && echo "$x")"; unset GROUPLOCK_HELD'
    ok '[[ $status == 0 ]] && all_free hw1 default 0' "$shell: what a subshell has read into a variable ends with the subshell"
    if [[ $shell == bash ]]; then
        does b 'shopt -s lastpipe; eval "$(claim | cat)"; shopt -u lastpipe'
        bound "bash: lastpipe"
    fi
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
    does b 'eval "$("$grouplock" claim -g hw1 | cat)"; echo $$'
    pids[b]=$out
    bound "$shell, its stdout a pipe: \$(claim | cat)"
    unset 'pids[b]'
    tell b exit
    finish logged
done

done_testing
