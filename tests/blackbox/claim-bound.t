#!/usr/bin/env bash
# What a claim is bound to unless told otherwise: the shell that evals it, in whatever way
# it is called there, and not a subshell that ends as soon as claim does.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0

cat >bin/wrapper <<'END'
#!/bin/sh
# wrapper OPTION...: a script of one's own around claim, which it becomes.
exec "$grouplock" claim -g hw1 "$@"
END
chmod 755 bin/wrapper

for shell in "${shells[@]}"; do
    build b "$shell"
    does b 'claim() { "$grouplock" claim -g hw1; }'
    for form in 'claim' '"$grouplock" claim -g hw1 2>/dev/null' 'cd /; claim' 'cd / && "$grouplock" claim -g hw1' 'claim || exit' \
        '(claim)' '( (claim; :); :); :' '{ claim; }' 'if :; then claim; fi' '! FOO=1 claim' 'exec "$grouplock" claim -g hw1' \
        'eval claim' 'set -x; claim' 'env FOO=1 nice -n 0 "$grouplock" claim -g hw1' wrapper; do
        does b "eval \"\$( $form)\""
        bound "$shell: \$( $form)"
    done

    # Without $( ).
    does b 'claim >claim.env; . ./claim.env'
    bound "$shell: claim >FILE; . FILE"
    does b '{ claim; :; } >claim.env; . ./claim.env'
    bound "$shell: { claim; } >FILE; . FILE"
    does b 'eval "`claim`"'
    bound "$shell: backticks"
    does b 'x=$(claim) && eval "$x"'
    bound "$shell: x=\$(claim) && eval \"\$x\""
    does b 'eval "$(sh -c "exec \"\$grouplock\" claim -g hw1")"'
    bound "$shell: sh -c 'exec claim'"
    does b 'f() { eval "$(claim)"; }; f'
    bound "$shell: within a function"
    does b '{ eval "$(claim)"; } 2>&1'
    bound "$shell: within braces"
    if [[ $shell == bash ]]; then
        does b '. <("$grouplock" claim -g hw1)'
        bound "bash: . <(claim)"
        does b '. <(cd /; claim)'
        bound "bash: . <(cd /; claim)"
        does b 'mapfile -t a < <(claim; :); eval "$(printf "%s\n" "${a[@]}")"'
        bound "bash: mapfile < <(claim)"
    fi
    tell b exit
    finish b
done

# --- other callers ----------------------------------------------------------------------
cat >bin/other <<'END'
#!/usr/bin/env python3
"""other: a build in another language, which claims, works, and ends when a line comes."""
import json
import os
import subprocess

grouplock = os.environ['grouplock']
claim = json.loads(subprocess.check_output([grouplock, 'claim', '-g', 'hw1', '--json']))
assert claim['pid'] == os.getpid(), claim
os.environ['GROUPLOCK_HELD'] = claim['held']
subprocess.check_call([grouplock, 'run', '-g', 'hw1', '-n', '--', 'true'])
open('other.claimed', 'w').close()
open('other.go').readline()
END
chmod 755 bin/other
mkfifo other.go
for how in ends 'is killed'; do
    rm -f other.claimed
    spawn other other
    soon '[[ -e other.claimed ]]' || die "'other' should have claimed"
    is "$(held_slots):$(bound_pid "$(keepers)")" "$claimed:${pids[other]}" "a claim of a program in Python is bound to it"
    if [[ $how == ends ]]; then echo go >other.go; else signal other KILL; fi
    finish other
    ok 'all_free hw1 default 0' "... until it $how"
done

# A program in between that waits for claim, and ends with it, is the caller; --pid helps.
build b dash
does b 'eval "$(timeout 100 "$grouplock" claim -g hw1)"'
ok 'all_free hw1 default 0' "a claim under a program that ends with it ends, too"
does b '"$grouplock" release'
like "$status:$err" '^0:grouplock: claim [0-9a-f]{8} had already ended: the process it was bound to has ended$' "... as release tells"
does b 'eval "$(timeout 100 "$grouplock" claim -g hw1 --pid $$)"'
bound "... but not with --pid \$\$"

# Init has adopted who calls when the shell is gone: it has another session.
mkfifo orphan.go
run setsid sh -c '{ read -r _ <orphan.go; exec "$grouplock" claim -g hw1 --max 1m >orphan.out 2>orphan.err; } & echo $$ >orphan.shell'
soon '[[ -s orphan.shell ]] && dead "$(<orphan.shell)"' || die 'the shell should have ended'
echo go 1<>orphan.go
soon '[[ -s orphan.out ]]' || die 'the claim should have ended'
is "$(<orphan.out)" '(exit 125)' "a claim whose shell has ended is refused"
like "$(<orphan.err)" '^grouplock: the calling process has ended, .*--pid' "... and says why"
ok 'all_free hw1 default 0' "... and no slot is kept"

done_testing
