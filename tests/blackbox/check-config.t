#!/usr/bin/env bash
# check: what it says of the config file, how it says it, and its exit status.
. "$(dirname "$0")/lib.sh"

# check [ARG...]
check() {
    run "$grouplock" check "$@"
}

# says REGEX NAME: a line of what was printed matches.
says_line() {
    grep -Eq -- "$1" run.out
    verdict $? "$2" || diag "no line matches: $1"$'\n'"$out"
}

# config_lines: the lines about the config file, without what follows the level.
config_lines() {
    sed -nE 's/^(.*groups\.ini:[0-9]+: [a-z]+): .*/\1/p' run.out | paste -sd ' '
}

# --- a good file --------------------------------------------------------------
write_config <<'END'
[grouplock]
strict = no
[workers]
w1 = hw1
[slots]
hw1 = 2
END
check
is "$status:$err" 0: "a good config: status 0, nothing on stderr"
says_line "^ok: config file '$dir/groups.ini' \(GROUPLOCK_CONFIG\) has no errors\$" "... is said to be good, and how it was found"
check -f groups.ini
says_line "^ok: config file 'groups.ini' \(-f\) has" "-f behind the command"
run "$grouplock" -f groups.ini check
says_line "^ok: config file 'groups.ini' \(-f\) has" "-f before the command"
check -f "$root/groups.ini.example"
says_line "^ok: config file '.*groups.ini.example' \(-f\) has no errors\$" "the example is good"

# --- a bad one ----------------------------------------------------------------
write_config <<'END'
stray = 1
[grouplock]
directry = /srv
strict = maybe
[workers]
w1 = hw1
W1 = hw2
linux-* = hw1
linux-arm* = hw1
w3 =
nonsense
[slots] ; the default lock
hw1 = 4x
hw2 = a b A
HW1 = 1
[slotz]
hw1 = 1
[slots link]
hw9 = 1
[workers]
w4 = hw#2
w5 = hw2 \
END
check
is "$status:$err" 1: "a bad config: status 1, nothing on stderr"
is "$(config_lines)" "$(for finding in 1:error 3:error 4:error 7:error 9:warning 10:error 11:error 12:error \
    13:error 14:error 15:error 16:error 19:warning 20:error 21:warning 22:error; do
    echo "$dir/groups.ini:${finding%:*}: ${finding#*:}"
done | paste -sd ' ')" "every problem is told, as compilers do, in the order of lines"
says_line "^$dir/groups.ini:1: error: key 'stray' comes before any section\$" "a stray key"
says_line ":3: error: .*'directry'.*unknown key" "an unknown key"
says_line ":4: error: .*'maybe' is neither yes nor no" "a bad word"
says_line ":7: error: .*'W1' is already in line 6 \(names are case-insensitive\)" "a key that is there twice but for case"
says_line ":9: warning: .*'linux-arm\*' is never used: 'linux-\*' in line 8" "a shadowed pattern"
says_line ":10: error: .*'w3': it names no group" "an empty group"
says_line ":11: error: syntax error" "a line that is nothing"
says_line ":12: error: syntax error: nothing can follow the \]" "a comment behind a section"
says_line ":13: error: section \[slots\]: key 'hw1': '4x' is not a count" "a bad count"
says_line ":14: error: .*'hw2': slot name 'A' is listed twice" "a slot's name that is there twice"
says_line ":16: error: section \[slotz\]: unknown section" "an unknown section"
says_line ":19: warning: group 'hw9' has slots, but \[workers\] maps no worker to it" "a group of nobody"
says_line ":20: error: section \[workers\] is already in line 5" "a section that is there twice"
says_line ":21: warning: the value is 'hw': '#' begins a comment" "a value that is cut"
says_line ":22: error: .*this line is lost" "a last line that is lost"
says_line "^ok: a lock excludes" "... and the directory is checked all the same"

# run's first word on a file is among check's.
while IFS='|' read -r name text; do
    write_config <<<"${text//@/$'\n'}"
    run "$grouplock" run -w w1 -- true
    is "$status" 125 "run refuses $name"
    words=${err#"grouplock: $dir/groups.ini: "}
    check
    [[ $status == 1 && $out == *": error: $words"* ]]
    verdict $? "... and check does in the same words" || diag "run:   $words" "check: $out"
done <<'END'
a bad count|[slots]@hw1 = 010
a bad pattern|[workers]@mac-[0 = hw1
a section named like a key|[grouplock:directory]@[workers:w1]
an unknown section|[slots]@[worker]@a = b
a key before sections|hw1 = 1
a relative directory|[grouplock]@directory = locks
END

# --- warnings -----------------------------------------------------------------
write_config <<'END'
[workers]
a = HW1
b = hw1
END
check
says_line "^$dir/groups.ini:3: warning: group 'hw1' is spelled 'HW1' in line 2" "a warning"
is "$status" 0 "... does not change the status"
check --strict
is "$status" 1 "... but does under --strict"
ok '! grep -q "^ok: config" run.out' "... and the file is not called good"

write_config <<<$'[workers]\na = hw1\nb = "hw1 "\nc = "hw 1"\ne = \' \''
check
is "$(config_lines)" "$dir/groups.ini:3: warning $dir/groups.ini:5: warning" "a blank that quotes keep at an end of a group's name" ||
    diag "$out"

# --- files that are not to be read --------------------------------------------
rm groups.ini
check
is "$status:$err" 1: "no config: status 1"
says_line "^$dir/groups.ini: error: no config file '$dir/groups.ini': create it" "... which says what to do"
says_line "^ok: a lock excludes" "... and the directory is checked all the same"
mkdir groups.ini
check
is "$status" 1 "a directory for a config: status 1"
says_line "^$dir/groups.ini: error: .*Is a directory" "... is told"
rmdir groups.ini
mkfifo groups.ini
check
is "$status" 1 "a FIFO for a config is not waited for"
rm groups.ini
head -c 3000 /bin/sh >groups.ini
check
is "$status" 1 "a program for a config: status 1"
says_line "^$dir/groups.ini:1: error: has a byte 0x[0-9a-f]{2}; this is not a text file" "... is told"
ok '(($(wc -l <run.out) < 40))' "... in not too many lines"
printf '[slots]\nhw\x1b[31m1 = 4x\n' >$'odd\nname.ini'
check -f $'odd\nname.ini'
unlike "$out" $'\e' "escape sequences in a file are shown escaped"
says_line '^odd\\x0aname.ini:2: error: ' "... and so is the file's name"

# --- where the directory comes from -------------------------------------------
mkdir -m 2770 other
write_config <<END
[grouplock]
directory = $dir/other
[slots]
hw1 = 4x
END
check
says_line "^ok: directory '$dir/locks' \(GROUPLOCK_DIR\) exists" "the directory of GROUPLOCK_DIR"
check -d other
says_line "^ok: directory 'other' \(-d\) exists" "the directory of -d"
(
    unset GROUPLOCK_DIR
    "$grouplock" check >run.out
)
says_line "^ok: directory '$dir/other' \($dir/groups.ini\) exists" "the directory of the config, bad as it is"
write_config <<<'[slots]'
(
    unset GROUPLOCK_DIR
    "$grouplock" check >run.out
)
says_line "'/var/lib/grouplock'" "the directory that is compiled in"

# --- usage --------------------------------------------------------------------
check --help
like "$status:$out" '^0:Usage: grouplock check' "--help"
for arguments in 'operand' '--no-such-option' '-Z' '-f' '--strict=yes'; do
    check $arguments
    refused "check $arguments" "see 'grouplock check --help'"
done
GROUPLOCK_CONFIG='' run "$grouplock" check
refused "an empty GROUPLOCK_CONFIG" GROUPLOCK_CONFIG empty
GROUPLOCK_DIR='' run "$grouplock" check
refused "an empty GROUPLOCK_DIR" GROUPLOCK_DIR empty
run sh -c '"$grouplock" check >/dev/full'
is "$status" 125 "findings that cannot be written: status 125"
like "$err" '^grouplock: cannot write' "... which is told"
run sh -c '"$grouplock" check >&-'
is "$status:$err" "125:grouplock: cannot write the findings: Bad file descriptor" "... nor into a stdout that is closed"

done_testing
