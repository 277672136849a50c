#!/bin/sh
# A build of several steps that claims its slots first: claim.sh GROUPLOCK RELEASE JOB [ARG...] -- CLAIM-ARG...
# RELEASE is yes or no: whether the slots are released, or left to the end of this shell.
grouplock=$1 release=$2
shift 2
job=
while [ "$1" != -- ]; do
    job="$job '$1'"
    shift
done
shift
eval "$("$grouplock" "$@")" || exit
eval "$job"
status=$?
if [ "$release" = yes ]; then "$grouplock" release || exit 96; fi
exit "$status"
