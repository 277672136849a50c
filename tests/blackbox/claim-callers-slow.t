#!/usr/bin/env bash
# The same in whatever order a shell starts the commands of a pipeline, and however long it takes: until
# then it has the descriptors of all of them.
. "$(dirname "$0")/callers.sh"

# --- a shell that is slow to make its pipelines --------------------------------------------------------------
if ! strace -o trace.out true 2>/dev/null; then
    skip "strace cannot trace here, so that no shell can be held up"
else
    for shell in "${all_shells[@]}"; do
        for form in log logged_filter logged_captured filtered printed_filter printed_copy printed_deep; do
            [[ $shell:$form != ksh:printed_deep ]] || continue
            # shellcheck disable=SC2086
            run strace -f -qq -o slow.trace -e trace=clone,clone3,fork,vfork -e signal=none \
                -e inject=clone,clone3,fork,vfork:delay_exit=30000:when=1+ $shell bin/forms "$form"
            right "$shell, slow to start processes: $form: the same"
            like "$(<slow.trace)" DELAYED "... it was slow"
        done
    done
fi

# --- many -----------------------------------------------------------------------------------------------------
for shell in "${all_shells[@]}"; do
    # shellcheck disable=SC2086
    run $shell bin/forms log 50
    right "$shell: fifty pipelines, one after the other"
done

done_testing
