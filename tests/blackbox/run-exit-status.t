#!/usr/bin/env bash
# run: the exit status, whoever decides it.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END

# How a process ends, told apart as only its parent can: "exit 3", "signal 15".
# NAME.child gets its pid.
cat >bin/ending <<'END'
#!/usr/bin/perl
my $name = shift;
my $pid = fork // die "fork: $!";
if ($pid == 0) { exec { $ARGV[0] } @ARGV; die "exec: $!" }
open my $file, '>', "$name.child.new" or die $!;
print $file "$pid\n";
close $file;
rename "$name.child.new", "$name.child" or die $!;
waitpid $pid, 0;
print $? & 127 ? 'signal ' . ($? & 127) : 'exit ' . ($? >> 8), "\n";
END
chmod 755 bin/ending

# The command's own status.
for code in 0 1 2 75 124 125 126 127 128 137 255; do
    run "$grouplock" run -g hw1 -- sh -c "exit $code"
    is "$status:$err" "$code:" "the command's own status $code, and not a word"
done
for signal in TERM:15 KILL:9 SEGV:11 INT:2; do
    run ending command "$grouplock" run -g hw1 -- sh -c "ulimit -c 0; kill -${signal%:*} \$\$"
    is "$out" "signal ${signal#*:}" "a command that dies of SIG${signal%:*}"
done

# The command cannot be started.
printf 'true\n' >not-executable
mkdir directory
run "$grouplock" run -g hw1 -- ./not-executable
is "$status" 126 "126 for a file that is not executable"
like "$err" "^grouplock: [^"$'\n'"]*'./not-executable'.*: Permission denied$" "... in one line that names it"
run "$grouplock" run -g hw1 -- ./directory
is "$status" 126 "126 for a directory"
like "$err" "^grouplock: [^"$'\n'"]*'./directory'" "... in one line that names it"
printf 'nonsense' >not-a-program
chmod 755 not-a-program
printf '#!/nowhere/interpreter\n' >no-interpreter
chmod 755 no-interpreter
run "$grouplock" run -g hw1 -- no-such-command-anywhere
is "$status" 127 "127 for a command that PATH does not have"
like "$err" "^grouplock: [^"$'\n'"]*'no-such-command-anywhere'" "... in one line that names it"
run "$grouplock" run -g hw1 -- ./no/such/path
is "$status" 127 "127 for a path that does not exist"
like "$err" "^grouplock: [^"$'\n'"]*'./no/such/path'.*: No such file or directory$" "... in one line that names it"
run "$grouplock" run -g hw1 -- ./no-interpreter
is "$status" 127 "127 for a script whose interpreter does not exist, as env(1) has it"
run "$grouplock" run -g hw1 -- ''
is "$status" 127 "127 for a command without a name"
run env PATH="$dir/directory" "$grouplock" run -g hw1 -- true
is "$status" 127 "127 for a command outside PATH"
ok 'soon "slot_free hw1 default 0"' "after all that the slot is free"

printf 'echo "ran with $1"; exit 9\n' >no-shebang
chmod 755 no-shebang
run "$grouplock" run -g hw1 -- ./no-shebang argument
is "$status:$out" '9:ran with argument' "a script without #! runs, as under timeout(1)"

# grouplock's own failures.
run "$grouplock" run -g hw1 -d /nowhere/at/all -- true
is "$status" 125 "125 for a failure of grouplock"
run "$grouplock" run --no-such-option -- true
is "$status" 125 "125 for a usage error"

# No slot.
hold holder -g hw1
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "75 under -n when no slot is free"
run "$grouplock" run -g hw1 -t 0.2 -- touch ran
is "$status" 75 "75 under -t when the wait times out"
run "$grouplock" run -g hw1 -t 0 -- touch ran
is "$status" 75 "75 under -t 0 at once"
for how in '-n' '-t 0.1'; do
    for code in 3 255 1 125; do
        # shellcheck disable=SC2086 # two words
        run "$grouplock" run -g hw1 $how -E $code -- touch ran
        is "$status" "$code" "$how -E $code makes it $code"
    done
done
run "$grouplock" run -g hw1 -n -E 0 -- touch ran
is "$status:$out:$err" '0::' "-n -E 0 skips quietly"
run "$grouplock" run -g hw1 -t 0.1 -E 0 -q -- touch ran
is "$status:$out:$err" '0::' "-t 0.1 -E 0 -q too"
ok '[[ ! -e ran ]]' "none of these commands ran"
run "$grouplock" run -g hw2 -n -E 3 -- sh -c 'exit 4'
is "$status" 4 "-E has no say when a slot was free"
run "$grouplock" run -g hw1 -n -E 3 -- no-such-command-anywhere
is "$status" 3 "busy comes before not found"

# A waiter that is killed dies of that signal.
for signal in TERM:15 INT:2 HUP:1 QUIT:3 KILL:9 USR1:10 ALRM:14 PIPE:13; do
    name=by-${signal%:*}
    rm -f "$name.child"
    spawn "$name" ending "$name" "$grouplock" run -q -g hw1 -- touch ran
    soon "[[ -e $name.child ]]" && child=$(<"$name.child")
    soon "queued_pid $child" || die "'$name' should have queued"
    kill -s "${signal%:*}" "$child"
    finish "$name"
    is "$out:$err" "signal ${signal#*:}:" "a waiter killed by SIG${signal%:*} dies of it, without a word"
done
spawn ignoring sh -c "trap '' HUP INT; exec \"\$grouplock\" run -g hw1 -- sh -c 'exit 6'"
soon 'queued ignoring' || die "'ignoring' should have queued"
signal ignoring HUP
signal ignoring INT
ok 'still_waits ignoring' "signals that the caller ignores do not end a waiter"
end holder
finish ignoring
is "$status" 6 "... which gets its slot, and the command's status is its own"
ok '[[ ! -e ran ]]' "no command of a killed waiter ran"

# A limit on the size of files is an error as any other, and no signal without a word.
traps=(- "''")
if ! bash -c 'ulimit -f 0; "$grouplock" --version | cat; exit "${PIPESTATUS[0]}"' >/dev/null 2>&1; then
    skip "ulimit -f 0: the program does not even start, a sanitizer writes before it"
    traps=("''")
fi
for trap in "${traps[@]}"; do
    run bash -c "trap $trap XFSZ; { ulimit -f 0; exec \"\$grouplock\" run -g hw1 -- touch ran; } 2>&1 | cat; exit \"\${PIPESTATUS[0]}\""
    is "$status" 125 "ulimit -f 0, trap $trap XFSZ: 125"
    like "$out" '^grouplock: cannot write .*File too large$' "... and a word"
    ok 'all_free hw1 default 0' "... and no slot is kept"
done
ok '[[ ! -e ran ]]' "... and no command ran"
run "$grouplock" run -g hw1 -- bash -c 'ulimit -f 0; echo x >large'
is "$status" 153 "the command's own limit ends it, as without grouplock"
run bash -c "trap '' XFSZ; exec \"\$grouplock\" run -g hw1 -- bash -c 'ulimit -f 0; echo x >large || exit 7'"
is "$status" 7 "... unless that is ignored"

done_testing
