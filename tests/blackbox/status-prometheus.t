#!/usr/bin/env bash
# status --prometheus: metrics that node_exporter's textfile collector takes.
. "$(dirname "$0")/lib.sh"

write_config <<END
[workers]
msvc10 = hw1
[slots]
hw1 = 2
hw9 = 0
$(printf 'h\xfe = 1\nh\xff') = 1
[slots link]
* = 1
END

# metrics [OPTION...]: $out is the exposition, which parse.py finds good.
metrics() {
    run "$grouplock" status --prometheus "$@"
    python3 parse.py <<<"$out" >parsed || die "this is no exposition: $out"
    if command -v promtool >/dev/null; then
        promtool check metrics <<<"$out" || die "promtool does not accept it"
    fi
}

# sample METRIC GROUP [LOCK]
sample() {
    sed -n "s/^$1 $2 ${3:-default} //p" parsed
}

# The grammar of the text format, version 0.0.4. Prints METRIC GROUP LOCK VALUE.
cat >parse.py <<'END'
import re, sys
text = sys.stdin.buffer.read().decode('utf-8')
assert text.endswith('\n')
declared, seen = {}, set()
for line in text.splitlines():
    match = re.fullmatch(r'# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)', line)
    if match:
        kind, name, rest = match.groups()
        assert (kind, name) not in declared, line
        assert kind == 'HELP' or rest == 'gauge' and ('HELP', name) in declared, line
        declared[kind, name] = current = name
        continue
    match = re.fullmatch(r'([a-z_]+)\{group="((?:[^"\\\n]|\\[\\n"])*)",lock="((?:[^"\\\n]|\\[\\n"])*)"\} (\S+)', line)
    assert match, line
    name, group, lock, value = match.groups()
    assert name == current and ('TYPE', name) in declared, line
    assert (name, group, lock) not in seen, line
    seen.add((name, group, lock))
    float(value)
    print(name, group, lock, value)
END
if ! command -v promtool >/dev/null; then skip "no promtool: its own check is left out"; fi

run "$grouplock" run -g 'a\b"c' -- true
soon 'slot_free a%5Cb%22c default 0' || die "the first slot should be free again"
metrics
is "$status:$err" 0: "nothing is held"
is "$(cut -d ' ' -f 1 parsed | uniq -c | tr -s ' ' | paste -sd ,)" \
    " 10 grouplock_slots, 10 grouplock_slots_held, 10 grouplock_waiters, 10 grouplock_oldest_waiter_age_seconds, 10 grouplock_oldest_holder_age_seconds" \
    "five metrics, each by group and lock"
is "$(sample grouplock_slots hw1):$(sample grouplock_slots hw1 link):$(sample grouplock_slots hw9)" 2:1:0 "slots are the limit"
is "$(grep -v '^grouplock_slots ' parsed | cut -d ' ' -f 4 | sort -u)" 0 "all others are 0"
is "$(grep -c '^grouplock_slots{group="a\\\\b\\"c",lock="default"} 1$' <<<"$out")" 1 "backslash and quote are escaped in a label"
is "$(grep -c '^grouplock_slots{group="h\\\\xf[ef]",lock="default"} 1$' <<<"$out")" 2 "bytes that are no UTF-8 are escaped, and two such names stay two"

hold a -w msvc10
hold b -w msvc10
hold l -w msvc10 -l link
queue c -w msvc10
queue d -w msvc10
metrics
is "$(sample grouplock_slots hw1):$(sample grouplock_slots_held hw1):$(sample grouplock_waiters hw1)" 2:2:2 "held and waiting"
is "$(sample grouplock_slots_held hw1 link):$(sample grouplock_waiters hw1 link)" 1:0 "... of each lock by itself"

# oldest WHO ROWS: the metric is the age of the one that began first, in seconds.
oldest() {
    local first earliest latest
    first=$("$grouplock" status -J | jq -r "[.locks[] | select(.group == \"hw1\" and .lock == \"default\").$2[].since] | min")
    earliest=$EPOCHREALTIME
    metrics
    latest=$EPOCHREALTIME
    python3 - "$first" "$earliest" "$(sample "grouplock_oldest_$1_age_seconds" hw1)" "$latest" <<'END'
import datetime, sys
first = datetime.datetime.strptime(sys.argv[1] + '+0000', '%Y-%m-%dT%H:%M:%S.%fZ%z').timestamp()
earliest, age, latest = map(float, sys.argv[2:])
sys.exit(not earliest - first - 0.002 <= age <= latest - first + 0.002)
END
}
ok 'oldest waiter waiters' "the oldest waiter's age is that of the first"
ok 'oldest holder slots' "the oldest holder's age is that of the first"

metrics -g hw1 -l link
is "$(cut -d ' ' -f 2,3 parsed | sort -u)" 'hw1 link' "-g and -l filter"

# A holder without a record has no age.
: >locks/hw1/link/slot.0
metrics
is "$(sample grouplock_slots_held hw1 link):$(sample grouplock_oldest_holder_age_seconds hw1 link)" 1:NaN "an unknown age is NaN"

# What the config has no more has no limit.
write_config <<<$'[workers]\nmsvc10 = hw1\n[slots]\nhw1 = 1'
metrics
is "$(sample grouplock_slots hw1 link):$(sample grouplock_slots_held hw1 link)" :1 "a lock that the config has no more has no limit"
is "$(sample grouplock_slots hw1):$(sample grouplock_slots_held hw1)" 1:2 "slots above a lowered limit count as held"
end l
all_free hw1 link 0 || die "the slot of link should be free"
metrics
is "$(sample grouplock_slots_held hw1 link)" '' "... and is gone when nobody holds it"

# As cron would write it.
if command -v sponge >/dev/null; then
    "$grouplock" status --prometheus | sponge grouplock.prom
else
    "$grouplock" status --prometheus >grouplock.prom
fi
ok 'python3 parse.py <grouplock.prom >/dev/null' "written to a file it is the same"
if strace -o calls true; then
    is "$(ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=write "$grouplock" status --prometheus 2>&1 >/dev/null | grep -c '^write(1')" 1 "one write(2) writes it all"
else
    skip "strace cannot trace here"
fi

rm -r locks
metrics
is "$status:$(cat parsed)" 0: "a directory that does not exist: no samples"
rm groups.ini
run "$grouplock" status --prometheus
refused "no config" "no config file"

done_testing
