#!/usr/bin/env bash
# The process that evals a claim is the one that it is bound to, also where that is a subshell whose own
# output somebody reads: a function whose output is captured, a pipeline into a log.
. "$(dirname "$0")/callers.sh"

for shell in "${all_shells[@]}"; do
    for form in "${subshells[@]}" "${shells_own[@]}"; do
        # Its pipelines are sockets, which do not tell who reads them: one that is within another is --pid's to tell.
        [[ $shell:$form != ksh:printed_deep ]] || continue
        # Twice: a claim that outlives its subshell is in the way of the next.
        # shellcheck disable=SC2086 # `busybox ash` is two words
        run $shell bin/forms "$form" 2
        right "$shell: $form: bound to the process that evals it"
        all_free hw1 default 0 || die "the slot should be free"
    done
done

# --- the script's own output may be a pipe ---------------------------------------------------------------
cat >bin/in-ci <<'END'
#!/bin/sh
# in-ci COMMAND...: its output goes through a pipe into a log, as in CI.
{ "$@" 2>&1; echo $? >in-ci.status; } | cat
exit "$(cat in-ci.status)"
END
chmod 755 bin/in-ci
for shell in "${all_shells[@]}"; do
    for form in captured log piped printed printed_filter printed_else; do
        # shellcheck disable=SC2086
        run in-ci $shell bin/forms "$form" 2
        right "$shell: $form, its own output a pipe: the same"
    done
done

done_testing
