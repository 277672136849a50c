#!/usr/bin/env bash
# run: options, long and short, where they end, and what the environment says.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[workers]
w1 = hw1
w2 = hw2
[slots]
* = 2
[slots link]
* = 2
END

# finds WANT NAME RUN-OPTION...: what the command finds in WORKER/GROUP.
finds() {
    local want=$1 name=$2
    shift 2
    run "$grouplock" run "$@" sh -c 'echo "$GROUPLOCK_WORKER/$GROUPLOCK_GROUP"'
    is "$status:$out:$err" "0:$want:" "$name"
}

finds w1/hw1 "-w W" -w w1
finds w1/hw1 "-wW" -ww1
finds w1/hw1 "--worker W" --worker w1
finds w1/hw1 "--worker=W" --worker=w1
finds w1/elsewhere "-g G skips the map" -w w1 -g elsewhere
finds w1/elsewhere "--group=G" --worker=w1 --group=elsewhere
finds w1/elsewhere "--group G" -w w1 --group elsewhere
finds w2/hw2 "-- ends the options" -w w2 --

# Options end at the first operand.
run "$grouplock" run -w w1 sh -c 'echo "$GROUPLOCK_WORKER" "$@"' sh -w w2 --version -n -- --help
is "$status:$out" '0:w1 -w w2 --version -n -- --help' "options after the command are the command's"
POSIXLY_CORRECT=1 run "$grouplock" run -w w1 echo -w w2
is "$out" '-w w2' "... with POSIXLY_CORRECT too"
run "$grouplock" run -w w1 -- -n
is "$status" 127 "after -- even '-n' is a command"
run "$grouplock" run -w w1 -- -- echo
is "$status" 127 "the second -- is a command"
run "$grouplock" run -w w1 printf '%s|' '' 'a b' $'new\nline' "it's" '*' '\x' -
is "$out" $'|a b|new\nline|it\'s|*|\\x|-|' "the command gets its arguments unchanged, empty ones too"

# -f and -d on either side of the subcommand.
cat >other.ini <<'END'
[workers]
w1 = other
END
mkdir other-locks
finds_other() {
    local name=$1
    shift
    rm -rf other-locks/*
    run "$grouplock" "$@" sh -c 'echo "$GROUPLOCK_GROUP"'
    is "$status:$out:$(ls other-locks)" '0:other:other' "$name"
}
finds_other "-f and -d before run" -f other.ini -d other-locks run -w w1
finds_other "-f and -d after run" run -f other.ini -d other-locks -w w1
finds_other "-f before and -d after" -f other.ini run -w w1 -d other-locks
finds_other "-fFILE and -dDIR" -fother.ini -dother-locks run -w w1
ok '[[ ! -e locks/other ]]' "-d wins over GROUPLOCK_DIR"

# The environment, and what it loses to.
GROUPLOCK_WORKER=w2 finds w2/hw2 "GROUPLOCK_WORKER"
GROUPLOCK_WORKER=w2 finds w1/hw1 "-w wins over GROUPLOCK_WORKER" -w w1
host=$(uname -n)
finds "${host,,}/${host,,}" "without either the worker is the host"
GROUPLOCK_CONFIG=$dir/other.ini GROUPLOCK_DIR=$dir/other-locks \
    finds w1/other "GROUPLOCK_CONFIG and GROUPLOCK_DIR" -w w1
mkdir configured
printf '[grouplock]\ndirectory = %s ; a comment\n' "$dir/configured" >with-directory.ini
run "$grouplock" run -f with-directory.ini -g here -- true
is "$status:$(ls configured)" '0:' "GROUPLOCK_DIR wins over 'directory ='"
ok '[[ -e locks/here ]]' "... and is used"
run env -u GROUPLOCK_DIR "$grouplock" run -f with-directory.ini -g here -- true
is "$status:$(ls configured)" '0:here' "'directory =' where there is no GROUPLOCK_DIR"
for variable in GROUPLOCK_WORKER GROUPLOCK_CONFIG GROUPLOCK_DIR; do
    run env "$variable=" "$grouplock" run -- true
    refused "an empty $variable is an error" "$variable"
done

# What is compiled in.
if [[ -e /etc/grouplock/groups.ini || -e /var/lib/grouplock ]]; then
    skip "this machine has a /etc/grouplock/groups.ini or /var/lib/grouplock"
else
    run env -u GROUPLOCK_CONFIG "$grouplock" run -w w1 -- true
    refused "without -f and GROUPLOCK_CONFIG it is the compiled config" /etc/grouplock/groups.ini
    run env -u GROUPLOCK_DIR "$grouplock" run -w w1 -- true
    refused "without any word on the directory it is the compiled one" /var/lib/grouplock
fi

# The locks.
run "$grouplock" run -w w1 -l link -- true
is "$status:$(ls locks/hw1)" $'0:default\nlink' "-l LOCK"
rm -rf locks/hw1
run "$grouplock" run -w w1 --lock=link -- true
is "$status:$(ls locks/hw1)" '0:link' "--lock=LOCK"
run "$grouplock" run -w w1 --lock default -- true
is "$status:$(ls locks/hw1)" $'0:default\nlink' "--lock LOCK"

# Waiting or not.
hold a -w w1
hold b -w w1
for option in -n --nonblock -t0 '--timeout=0' '--timeout 0.05' '-t 0.05s' '-t 0.001m' '-t .05'; do
    # shellcheck disable=SC2086 # two words
    run "$grouplock" run -w w1 $option -- true
    is "$status" 75 "$option"
done
for option in '-E 9' -E9 --conflict-exit-code=9 '--conflict-exit-code 9'; do
    # shellcheck disable=SC2086
    run "$grouplock" run -w w1 -n $option -- true
    is "$status" 9 "$option"
done
for option in '' -q --quiet; do
    # shellcheck disable=SC2086
    run "$grouplock" run -w w1 -n $option -- true
    is "$status:$(wc -l <run.err)" "75:$((${#option} == 0))" "-n $option prints ${option:+no}${option:-one} line"
done
end a
end b
for duration in 30 1.5 10m 2h 1d 0.5s 5.; do
    run "$grouplock" run -w w1 -t "$duration" --heartbeat "$duration" -- echo ran
    is "$status:$out" 0:ran "-t $duration is a duration"
done
for option in -v --verbose; do
    run "$grouplock" run -w w1 $option -- true
    is "$status" 0 "$option"
    like "$err" "w1" "... says the worker"
    like "$err" "hw1" "... and the group"
    like "$err" "$dir/locks" "... and the directory"
    like "$err" "$dir/groups.ini" "... and the config"
    is "$(grep -vc '^grouplock: ' run.err)" 0 "... in lines that start with 'grouplock: '"
done

# Help and version.
version=$(sed -n 's/^VERSION *:*= *//p' "$root/Makefile")
run "$grouplock" --version
is "$status:$out:$err" "0:grouplock $version:" "--version"
for args in --help 'run --help'; do
    # shellcheck disable=SC2086
    run "$grouplock" $args
    is "$status:$err" '0:' "$args"
    like "$out" 'run' "... speaks of run"
done
for option in -w --worker -g --group -l --lock -c --count -x --exclusive -n --nonblock \
    -t --timeout -E --conflict-exit-code --heartbeat -k --keep-until-closed -q --quiet \
    -v --verbose -f -d; do
    like " ${out//[,=]/ } " "[[:space:]]${option}[[:space:]]" "the help of run has $option"
done
run sh -c '"$grouplock" --help >/dev/full'
is "$status" 125 "help that cannot be written is a failure"

done_testing
