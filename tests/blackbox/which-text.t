#!/usr/bin/env bash
# which: the worker's group, its locks, and how they were found.
. "$(dirname "$0")/lib.sh"

good_config() {
    write_config <<'END'
[workers]
msvc10    = hw1
linux-*   = HW2
linux-arm = arm
[slots]
*    = 1
hw1  = 4
arm  = 0
[slots devkit]
hw2  = kit-a, Kit-B kit-c
[slots link]
END
}
good_config

# line KEY: its value.
line() {
    sed -n "s/^$1  *//p" <<<"$out"
}

# which [OPTION...]
which_() {
    run "$grouplock" which "$@"
}

which_ -w msvc10
is "$status:$err" 0: "a worker that is listed"
is "$(line worker)" 'msvc10  (-w)' "... the worker, and where its name comes from"
is "$(line group)" 'hw1  (exact)' "... its group, and why"
is "$(line config)" "$dir/groups.ini  (GROUPLOCK_CONFIG)" "... the config"
is "$(line directory)" "$dir/locks  (GROUPLOCK_DIR)" "... the directory"
is "$(line LOCK)" 'LIMIT  SLOTS' "... all locks"
is "$(line default | tr -s ' '),$(line devkit | tr -s ' '),$(line link | tr -s ' ')" '4 0-3,1 0,1 0' "... with limit and slots"
ok '[[ -z $(ls locks) ]]' "... nothing is created"

which_ -w Linux-7
is "$(line worker):$(line group)" "linux-7  (-w):hw2  (pattern 'linux-*')" "a pattern"
is "$(line devkit | tr -s ' ')" '3 kit-a Kit-B kit-c' "... slots with names, as the config spells them"
which_ -w linux-arm
is "$(line group)" 'arm  (exact)' "a name that stands below a pattern that matches"
is "$(line default | tr -s ' ')" '0 closed' "... a closed group"
which_ -w Stray
is "$status:$(line group)" '0:stray  (unlisted)' "a worker that is not listed"
GROUPLOCK_WORKER=msvc10 which_
is "$(line worker)" 'msvc10  (GROUPLOCK_WORKER)' "the worker from the environment"
which_
is "$status:$(line worker)" "0:$(uname -n | tr '[:upper:]' '[:lower:]')  (host name)" "the worker from the host name"

which_ -w linux-1 -l devkit
is "$(sed '1,/^LOCK/d' <<<"$out" | tr -s ' ')" 'devkit 3 kit-a Kit-B kit-c' "-l: one lock"
which_ -w linux-1 --lock Link -l default -l LINK
is "$(sed '1,/^LOCK/d' <<<"$out" | cut -d ' ' -f 1 | paste -sd ,)" link,default "-l repeated: several, as asked for, each once"

write_config <<<$'[grouplock]\ndirectory = /srv/locks'
unset GROUPLOCK_DIR
which_ -w w
is "$status:$(line directory)" "0:/srv/locks  ($dir/groups.ini)" "a directory from the config, which does not have to exist"
which_ -w w -d here
is "$(line directory)" 'here  (-d)' "... from -d"
write_config </dev/null
which_ -w w
is "$(line directory)" '/var/lib/grouplock  (compiled in)' "... and from nowhere"
export GROUPLOCK_DIR=$dir/locks
good_config
cp groups.ini other.ini
run "$grouplock" -f other.ini which -w msvc10
is "$(line config)" 'other.ini  (-f)' "-f before the command"

# A lock's name is shown as all names are: no byte of it moves a cursor, or a column.
write_config <<<$'[slots l\xc3\xb6s]\n[slots longer]\n[slots x\x9b31my]'
which_ -w w
is "$(sed '1,/^$/d;s/ö/o/' <<<"$out")" "LOCK       LIMIT  SLOTS
default        1  0
los            1  0
longer         1  0
x\\x9b31my      1  0" "names of locks with bytes above 127"

# --- strict -------------------------------------------------------------------
write_config <<<$'[grouplock]\nstrict = yes\n[workers]\nw1 = hw1'
which_ -w w1
is "$status:$(line group)" '0:hw1  (exact)' "strict: a worker that is listed"
for form in '' -q -J; do
    # shellcheck disable=SC2086 # no form is no argument
    which_ -w stranger $form
    is "$status:$out" 1: "strict: one that is not: status 1, and no output ($form)"
    like "$err" "^grouplock: worker 'stranger' is not listed" "... but a message"
done
which_ -w a/b
refused "... not for a name that is none" "'a/b'"

# --- bad input ----------------------------------------------------------------
good_config
which_ -w w -l nope
refused "an unknown lock" "no lock 'nope'" 'default, devkit, link'
which_ -w ''
refused "an empty worker" '-w'
which_ -w w extra
refused "an operand" "'extra'"
which_ -w w -q -J
refused "two forms at once" '-q' '-J'
which_ -Z
refused "an unknown option" "'-Z'"
which_ -w w -f nowhere.ini
refused "no config" nowhere.ini
run bash -c '"$grouplock" which -w w >/dev/full'
is "$status" 125 "a full disk is an error"
like "$err" "^grouplock: .*stdout.*No space left" "... that says so"
which_ --help
like "$status:$err:$out" '^0::Usage: grouplock which .*--json' "--help"

done_testing
