#!/usr/bin/env bash
# claim --json: the same as for a shell, for programs in other languages.
. "$(dirname "$0")/claim.sh"

odd_names

cat >bin/check-json <<'END'
#!/usr/bin/env python3
"""check-json FILE: one JSON document after the other; prints how many have which keys and kinds of values."""
import collections
import json
import sys

text = open(sys.argv[1], 'rb').read().decode('utf-8')
kinds = {str: 'text', int: 'number', float: 'number', dict: 'object', list: 'array', type(None): 'null'}
forms = collections.Counter()
while text:
    value, end = json.JSONDecoder().raw_decode(text)
    forms[','.join('%s %s' % (key, kinds[type(value[key])]) for key in sorted(value))] += 1
    assert text[end] == '\n', 'no line end'
    text = text[end + 1:]
for form, count in sorted(forms.items()):
    print(count, form)
END
chmod 755 bin/check-json
form='group text,held text,id text,keeper number,max number,pid number,slots object,worker text'

for option in --json -J; do
    run "$grouplock" claim -w "it's" -g hw1 -l odd=2 -l my-lock.2 --max 90m --pid $$ $option
    is "$status:$err" 0: "claim $option"
    cp run.out claim.json
    is "$(check-json claim.json)" "1 $form" "... is valid JSON, for Python"
    is "$(jq -c '[.worker, .group, .slots, .max, .pid]' claim.json)" \
        '["it'\''s","hw1",{"odd":["it'\''s","\"q\""],"my-lock.2":["0"]},5400,'$$']' "... for jq"
    is "$(bound_pid "$(jq .keeper claim.json)")" $$ "... the keeper is the one that watches"
    like "$(jq -r .id claim.json)" '^[0-9a-f]{8}$' "... the id is a short one"
    GROUPLOCK_HELD=$(jq -r .held claim.json) run "$grouplock" run -g hw1 -l odd=2 -l my-lock.2 -n -- printenv GROUPLOCK_SLOT
    is "$status:$out" '0:it'\''s "q"' "... with what it says is held a step passes"
    is "$("$grouplock" status -J -g hw1 -l odd | jq -r '.locks[0].slots[] | .claim | select(.)' | sort -u)" \
        "$(jq -r .id claim.json)" "... status has the same id"
    run "$grouplock" release "$(jq -r .id claim.json)"
    is "$status:$(held_slots)" 0: "... by which it is released"
done
run "$grouplock" claim -g hw1 --pid 0 --max 1.5 --json
is "$(jq -c '[.pid, .max]' <<<"$out")" '[null,1.5]' "bound to no process: pid is null"
run "$grouplock" release "$(jq -r .id <<<"$out")"
run "$grouplock" claim -g hw1 --json
is "$(jq -c '[.pid, .max]' <<<"$out")" "[$$,null]" "without --max: max is null"
run "$grouplock" release "$(jq -r .id <<<"$out")"

# The same as for a shell.
run "$grouplock" claim -g hw1 -w 'W W' -l odd=all --json
cp run.out claim.json
run "$grouplock" release "$(jq -r .id claim.json)"
run bash -c "$(claiming "-g hw1 -w 'W W' -l odd=all"); printf '%s\n' \"\$GROUPLOCK_WORKER\" \"\$GROUPLOCK_SLOT\""
expected=$(perl -CO -MEncode -ne 'BEGIN { binmode STDIN } print decode("UTF-8", $_)' <run.out)
is "$(jq -r '.worker, (.slots.odd | join(" "))' claim.json)" "$expected" "names in JSON are those for a shell; a byte that is no UTF-8 is U+FFFD"
cp claim.json all.json
for name in "${odd_workers[@]}"; do
    run "$grouplock" claim -g "$name" -w "$name" --json
    cat run.out >>all.json
    run "$grouplock" release "$(jq -r .id run.out)"
    ((status == 0)) || die "the claim of '$name' should be released: $err"
done
is "$(check-json all.json)" "$((${#odd_workers[@]} + 1)) ${form/max number/max null}" \
    "${#odd_workers[@]} odd names of workers and groups are valid JSON, too"
printf '[slots k\xe4]\n* = 1\n' >>groups.ini
run "$grouplock" claim -g hw1 -l $'k\xe4' --json
is "$(jq -c .slots run.out)" $'{"k\xef\xbf\xbd":["0"]}' "a lock whose name is no UTF-8 is among the slots"
run "$grouplock" release "$(jq -r .id run.out)"
run "$grouplock" claim -g hw1 -l odd=all
id=$(said_value CLAIM)
for failure in '-l odd -n:75' '-l odd -n -E 7:7' '-l odd -n -E 0:0' '-l nothing:125' '-c 0:125' '--nonsense:125'; do
    for option in --json -J; do
        # shellcheck disable=SC2086
        run "$grouplock" claim -g hw1 $option ${failure%:*}
        is "$status:$out" "${failure#*:}:" "claim $option ${failure%:*} prints nothing for others to parse"
    done
done
run "$grouplock" release "$id"

# What waits and what went wrong is told on stderr only.
hold holder -g hw1
spawn claim "$grouplock" claim -g hw1 -v --heartbeat 0.1
soon '(($(grep -c "in the queue" claim.err) > 2))' || die "'claim' should have said that it waits"
end holder
finish claim
is "$status:$(grep -c 'grouplock: ' claim.out)" 0:0 "of what a waiter says nothing is on stdout"
run "$grouplock" release "$(said_value CLAIM)"
is "$status:$(held_slots)" 0: "... and it is released"

done_testing
