#!/usr/bin/env bash
# What somebody sees who has just installed the program and calls it: each message says what to do next, and doing
# that works.
. "$(dirname "$0")/lib.sh"

run "$grouplock"
refused "grouplock alone" 'usage: grouplock run [OPTION...] -- COMMAND' claim release status which check "'grouplock --help'"
run "$grouplock" make -j8
refused "a command without run" "unknown command 'make'" 'grouplock run make'
run "$grouplock" run
refused "run alone" 'no command to run' "'grouplock run --help'"
run "$grouplock" --help
is "$status:$err" 0: "--help"
ok '((${#out} > 500))' "... says something"

# Nothing is configured: the message has the command that makes the shortest file, and the next one the directory.
export GROUPLOCK_CONFIG=$dir/"etc of mine"/grouplock/groups.ini GROUPLOCK_DIR=$dir/"var/lib of mine"/grouplock
run "$grouplock" run -- true
refused "run without a file" "no config file '$GROUPLOCK_CONFIG'" 'create it' "the one line '[slots]'"
advice=${err#*one slot: }
like "$advice" "^mkdir -p '$dir/etc of mine/grouplock' && echo '\[slots\]' >'$dir/etc of mine/grouplock/groups.ini'$" \
    "... with a command that writes one"
run sh -c "$advice"
is "$status:$(<"$GROUPLOCK_CONFIG")" '0:[slots]' "... which does"

run "$grouplock" run -- true
refused "then without a directory" "no directory '$GROUPLOCK_DIR'" 'create it' 'install -d -m 2770 -g GROUP'
advice=${err#*like: }
mkdir -p "$dir/var/lib of mine"
run sh -c "$advice" # GROUP is for people to fill in
ok '((status != 0))' "... whose GROUP has to be filled in"
run sh -c "${advice/GROUP/$(id -gn)}"
is "$status:$(stat -c %a:%G "$GROUPLOCK_DIR")" "0:2770:$(id -gn)" "... with a command that makes one"
run "$grouplock" run -- sh -c 'echo "$GROUPLOCK_GROUP $GROUPLOCK_SLOT"'
host=$(uname -n)
is "$status:$err:$out" "0::${host,,} 0" "then it runs"

# The same for all the others that need the file.
rm "$GROUPLOCK_CONFIG"
for command in 'claim -n' 'status' 'which' 'release'; do
    # shellcheck disable=SC2086 # a command and its options
    run "$grouplock" $command
    like "$status:$err" "^125:.*no config file.*create it" "$command without a file says so too"
done
run "$grouplock" check
like "$status:$out" '^1:.*no config file.*create it' "... and check"

# Where it was installed, if nothing else is said.
run env -u GROUPLOCK_CONFIG "$grouplock" run -f groups.ini -- true
refused "a file of a relative name" "echo '[slots]' >groups.ini"
unlike "$err" mkdir "... is in a directory that there is"
done_testing
