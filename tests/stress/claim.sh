#!/bin/sh
# A build of several steps that claims its slots first: claim.sh GROUPLOCK FORM RELEASE JOB [ARG...] -- CLAIM-ARG...
# FORM is where it does that: plain, or in a subshell whose output is captured or goes into a pipeline.
# RELEASE is yes or no: whether the slots are released, or left to the end of the process that has claimed.
grouplock=$1 form=$2 release=$3
shift 3
job=
while [ "$1" != -- ]; do
    job="$job '$1'"
    shift
done
shift

# Whether the claim is bound to the process that has made it. Its end would not show at once that it is not.
is_ours() {
    slot=${GROUPLOCK_HELD##* }
    bound=$(sed -n 's/^bound //p' "$GROUPLOCK_DIR/${slot%%=*}")
    [ "$bound" = "$(exec sh -c 'echo $PPID')" ]
}
build() {
    eval "$("$grouplock" "$@")" || exit
    is_ours || exit 94
    eval "$job"
    status=$?
    if [ "$release" = yes ]; then "$grouplock" release || exit 96; fi
    return "$status"
}
case $form in
plain)
    build "$@"
    exit
    ;;
captured)
    said=$(build "$@"; echo "status $?")
    ;;
log)
    said=$({ (build "$@"); echo "status $?"; } | cat)
    ;;
esac
status=$?
case $said in
*'status '*) exit "${said##*status }" ;;
esac
exit "$status"
