# shellcheck shell=bash
# What the tests of a claim's caller share, on top of claim.sh: the ways in which shells eval a claim.
# shellcheck disable=SC2034 # much is for the tests only
. "$(dirname "${BASH_SOURCE[0]}")/claim.sh"

write_config <<'CONFIG'
[slots]
* = 1
CONFIG

cat >bin/forms <<'END'
# forms FORM [COUNT]: does a form so many times in this shell; wrong.log has what went wrong.
claim() { "$grouplock" claim -q -g hw1 -t 20 "$@"; }
took() {
    # The status of `sh` is asked for, so that no shell execs it instead of starting it.
    sh -c 'echo $PPID' >"$scratch/who" || echo "no sh" >>"$scratch/wrong.log"
    read -r who <"$scratch/who"
    echo "$GROUPLOCK_HELD" >"$scratch/held"
    is=$(sed -n 's/^bound //p' "$GROUPLOCK_DIR/hw1/default/slot.0")
    [ "$is" = "$who" ] || echo "$form: bound to ${is:-none}, not to $who" >>"$scratch/wrong.log"
    flock -n "$GROUPLOCK_DIR/hw1/default/slot.0" true && echo "$form: not held" >>"$scratch/wrong.log"
    :
}
take() { eval "$(claim "$@")" || exit; took; }
captured() { take; echo built; }
nested() { inner=$(captured); echo "$inner"; }
sourced() { claim >"$scratch/env"; . "$scratch/env"; took; echo built; }
filtered() { claim | sed '' >"$scratch/env"; . "$scratch/env"; took; echo built; }
filtered_twice() { claim | cat | sed '' >"$scratch/env"; . "$scratch/env"; took; echo built; }
piped() { eval "$(claim | cat)"; took; echo built; }
left() { "$grouplock" release -q; unset GROUPLOCK_HELD GROUPLOCK_CLAIM; }
form=$1 count=${2:-1}
# ksh93 runs most subshells in its own process, to whose end their claims last.
subshell=$(sh -c 'echo $PPID'; :)
while [ "$count" -gt 0 ]; do
    case $form in
    captured) x=$(captured) ;;
    nested) x=$(nested) ;;
    sourced) x=$(sourced) ;;
    filtered) x=$(filtered) ;;
    filtered_twice) x=$(filtered_twice) ;;
    piped) x=$(piped) ;;
    backticks) x=`captured` ;;
    subshell) x=$( (take; echo built) ) ;;
    released) x=$(take; left; take; echo built) ;;
    log) { take; echo built; } | cat >"$scratch/log"; read -r x <"$scratch/log" ;;
    logged_file) { sourced; } | cat >"$scratch/log"; read -r x <"$scratch/log" ;;
    logged_filter) { filtered; } | cat >"$scratch/log"; read -r x <"$scratch/log" ;;
    logged_twice) { take; echo built; } | cat | cat >"$scratch/log"; read -r x <"$scratch/log" ;;
    logged_captured) { x=$(captured); echo "$x"; } | cat >"$scratch/log"; read -r x <"$scratch/log" ;;
    middle) echo | { take; echo built; } | cat >"$scratch/log"; read -r x <"$scratch/log" ;;
    errors) { take; echo built; } 2>&1 | cat >"$scratch/log"; read -r x <"$scratch/log" ;;
    background) { { take; echo built; } | cat >"$scratch/log"; } & wait $!; read -r x <"$scratch/log" ;;
    # These are the shell's own.
    printed) x=$(claim); eval "$x"; took; left; x=built ;;
    printed_filter) eval "$(claim | cat)"; took; left; x=built ;;
    printed_filters) eval "$(claim | sed '' | cat)"; took; left; x=built ;;
    printed_function) print() { claim | cat; }; eval "$(print)"; took; left; x=built ;;
    printed_deep) eval "$(: | { (claim; :) | cat; } | cat)"; took; left; x=built ;;
    printed_copy) eval "$(claim | tee "$scratch/copy")"; took; left; x=built ;;
    printed_else) eval "$(cd /; claim)"; took; left; x=built ;;
    esac
    [ "$x" = built ] || echo "$form: '$x'" >>"$scratch/wrong.log"
    [ ! -e "$scratch/wrong.log" ] || exit 1
    if [ "$subshell" = $$ ]; then GROUPLOCK_HELD=$(cat "$scratch/held") "$grouplock" release -q; fi
    count=$((count - 1))
done
END
subshells=(captured nested sourced filtered filtered_twice piped backticks subshell released log logged_file logged_filter logged_twice
    logged_captured middle errors background)
shells_own=(printed printed_filter printed_filters printed_function printed_deep printed_copy printed_else)
export scratch=$dir

all_shells=()
for shell in bash dash zsh ksh mksh 'busybox ash'; do
    if command -v "${shell% *}" >/dev/null; then all_shells+=("$shell"); else skip "$shell is not here"; fi
done

# right NAME: nothing went wrong since the last time.
right() {
    is "$status:$(sort -u wrong.log 2>/dev/null)$err" 0: "$1"
    rm -f wrong.log
}


