#!/usr/bin/env bash
# which -q and -J: for scripts and programs.
. "$(dirname "$0")/lib.sh"

cat >groups.ini <<END
[workers]
linux-* = hw2
it's    = it's
$(printf 'w\xff') = hw2
[slots]
*    = 1
hw2  = 2
hw9  = 0
[slots dev-kit]
hw2  = kit-a \$(touch) 'quoted'
END

# --- -q: assignments for a shell ----------------------------------------------
run "$grouplock" which -q -w linux-7
is "$status:$err" 0: "-q"
is "$out" "WORKER=linux-7
GROUP=hw2
WHY='pattern '\\''linux-*'\\'''
CONFIG=$dir/groups.ini
DIRECTORY=$dir/locks
LIMIT_DEFAULT=2
SLOTS_DEFAULT='0 1'
LIMIT_DEV_KIT=3
SLOTS_DEV_KIT='kit-a \$(touch) '\\''quoted'\\'''" "... prints nothing but assignments"
for shell in sh bash dash zsh ksh mksh yash busybox; do
    if ! command -v $shell >/dev/null; then
        skip "no $shell: whether it understands them is left out"
        continue
    fi
    interpreter=("$shell")
    if [[ $shell == busybox ]]; then interpreter+=(sh); fi
    is "$("${interpreter[@]}" -c 'eval "$1"; printf "%s|" "$WORKER" "$WHY" "$LIMIT_DEFAULT" "$SLOTS_DEV_KIT"' $shell "$out")" \
        "linux-7|pattern 'linux-*'|2|kit-a \$(touch) 'quoted'|" "... that ${interpreter[*]} understands"
done
run "$grouplock" which -q -w "it's" -l default
is "$(sh -c 'eval "$1"; echo "$WORKER $GROUP $WHY"' sh "$out")" "it's it's exact" "a quote in a name"
# shellcheck disable=SC2034 # eval sets more
strange=$dir/$'a b\'c\n$(touch pwned)`touch pwned`"\\'
run "$grouplock" which -q -w "it's" -d "$strange" -l default
ok '[[ $(sh -c '"'eval \"\$1\"; echo \"\$DIRECTORY.\"' sh \"\$out\") == \"\$strange.\" ]]" "a directory of any bytes"
ok '[[ ! -e pwned ]]' "... which runs nothing"
run "$grouplock" which -q -w hw9 -l default
is "$(tail -n 2 <<<"$out" | paste -sd ' ')" "LIMIT_DEFAULT=0 SLOTS_DEFAULT=''" "a closed group has no slots"

cp groups.ini twice.ini
printf '[slots dev_kit]\nhw2 = 1\n' >>twice.ini
run "$grouplock" which -q -w linux-7 -f twice.ini
refused "two locks with the same variables" "'dev-kit'" "'dev_kit'" -l
run "$grouplock" which -q -w linux-7 -f twice.ini -l dev_kit
is "$status:$(tail -n 1 <<<"$out")" 0:SLOTS_DEV_KIT=0 "... one of them can be asked for"

# --- -J -----------------------------------------------------------------------
run "$grouplock" which -J -w linux-7
is "$status:$err" 0: "-J"
ok 'python3 -c "import json, sys; json.load(sys.stdin)" <<<"$out"' "... is JSON"
is "$(jq -c 'del(.locks)' <<<"$out")" '{"worker":"linux-7","worker_source":"-w","group":"hw2","match":"pattern","pattern":"linux-*",'"$(
    )"'"config":"'"$dir"'/groups.ini","config_source":"GROUPLOCK_CONFIG","directory":"'"$dir"'/locks","directory_source":"GROUPLOCK_DIR"}' \
    "... with keys that stay"
is "$(jq -c '.locks[]' <<<"$out" | paste -sd ' ')" \
    '{"lock":"default","limit":2,"names":null} {"lock":"dev-kit","limit":3,"names":["kit-a","$(touch)","'"'quoted'"'"]}' "... and the locks"
run "$grouplock" which -J -w stray
is "$(jq -c '[.group, .match, .pattern]' <<<"$out")" '["stray","unlisted",null]' "a worker that is not listed"
run "$grouplock" which -J -w "it's"
is "$(jq -c '[.group, .match, .pattern]' <<<"$out")" '["it'"'"'s","exact",null]' "... that is"
run "$grouplock" which -J -w $'w\xff' -l default
is "$(jq -c '[.worker, .match, (.locks | length)]' <<<"$out")" $'["w\xef\xbf\xbd","exact",1]' "bytes that are no UTF-8 become U+FFFD"
ok 'python3 -c "import json, sys; json.load(sys.stdin)" <<<"$out"' "... it is JSON"

done_testing
