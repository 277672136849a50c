#!/usr/bin/env bash
# How builds use claims: a script without any clean-up, a Makefile, a CI server that starts each
# step by itself, with a release that always runs, and with a crash before it.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[workers]
msvc10 = hw1
msvc11 = hw1
[slots]
* = 1
END
claimed=hw1/default/slot.0
ln -s "$grouplock" bin/grouplock

# --- a script ----------------------------------------------------------------------------------
cat >bin/nightly <<'END'
#!/bin/bash
# nightly FAILS-IN: three steps, each of which would queue for itself if it were not the build's.
# There is no trap and no clean-up.
set -e
eval "$(grouplock claim -w msvc10)"
setsid sh -c 'echo $$ >nightly.daemon; exec sleep 150' </dev/null >/dev/null 2>&1 &
for step in configure make test; do
    grouplock run -w msvc10 -n -- echo "$step in $GROUPLOCK_GROUP, slot $GROUPLOCK_SLOT"
    [[ $step != "$1" ]] || exit 3
done
END
chmod 755 bin/nightly
for ends in nowhere:0 configure:3 test:3; do
    run nightly "${ends%:*}"
    expected=$'configure in hw1, slot 0\nmake in hw1, slot 0\ntest in hw1, slot 0'
    [[ ${ends%:*} != configure ]] || expected='configure in hw1, slot 0'
    is "$status:$out" "${ends#*:}:$expected" "a script that fails in ${ends%:*}"
    is "$err" '' "... has waited for nothing"
    ok 'all_free hw1 default 0' "... and leaves no slot behind"
    soon '[[ -s nightly.daemon ]]' && ! dead "$(<nightly.daemon)"
    verdict $? "... but a daemon"
    end_daemons
    rm nightly.daemon
done
spawn one nightly nowhere
spawn two nightly nowhere
finish one
one=$status
finish two
is "$one:$status" 0:0 "two such scripts at once run one after the other"
ok 'all_free hw1 default 0' "... and leave no slot behind"
soon '[[ -s nightly.daemon ]]' || die "there should be a daemon"
end_daemons

# --- a Makefile -----------------------------------------------------------------------------------
# The claim of one recipe: it lasts as long as the shell that runs it.
cat >recipe.mk <<'END'
all:
	@eval "$$(grouplock claim -w msvc10)" && \
	$(MAKE) -s -f recipe.mk configure build
	@! flock -n $$GROUPLOCK_DIR/hw1/default/slot.0 echo freed
configure:
	@grouplock run -w msvc10 -n -- echo configure
build: one two
one two: configure
	@grouplock run -w msvc10 -n -- echo built
broken:
	@eval "$$(grouplock claim -w msvc11 -n)" && touch ran
END
for jobs in -j1 -j4; do
    run make -s $jobs -f recipe.mk
    is "$out" $'configure\nbuilt\nbuilt\nfreed' "make $jobs: a recipe that claims, the steps being a make of its own"
    ok 'all_free hw1 default 0' "... and no slot is left"
done
hold holder -w msvc10
run make -s -f recipe.mk broken
like "$status:$err" 'Error 75' "... a claim that fails is the recipe's failure"
ok '[[ $status == 2 && ! -e ran ]]' "... which goes on no further"
end holder

# The claim of the whole of make: it is the parent of its shells.
cat >whole.mk <<'END'
SHELL := /bin/sh
claim := $(shell grouplock claim -w msvc10 --pid $$PPID >claim.env && echo had)
ifneq ($(claim),had)
$(error no slot)
endif
all: configure one two
configure one two:
	@. ./claim.env; grouplock run -w msvc10 -n -- echo $@
one two: configure
END
for jobs in -j1 -j4; do
    rm -f claim.env
    run make -s $jobs -f whole.mk
    is "$status:$(sort run.out | paste -sd ' ')" '0:configure one two' "make $jobs that claims for all of itself"
    ok 'all_free hw1 default 0' "... and no slot is left"
done
hold holder -w msvc10
spawn make make -s -f whole.mk
soon 'grep -qs "1st in the queue" make.err' || die "make should wait"
end holder
finish make
is "$status:$(sort make.out | paste -sd ' ')" '0:configure one two' "... waits for its turn"
ok 'all_free hw1 default 0' "... and no slot is left"

# --- a CI server ------------------------------------------------------------------------------------
# Each step is a process that the server starts, in a session of its own and with no parent in common
# but the server, which lives on. What they share is the build's directory.
cat >bin/ci-worker <<'END'
#!/usr/bin/perl
# ci-worker NAME: runs each step that a line of NAME.steps has, in a session of
# its own, and tells its status in NAME.done; the step's output is in NAME.log. It forgets no process.
use POSIX;
my $name = shift;
open my $steps, '+<', "$name.steps" or die "$name.steps: $!";
while (my $step = <$steps>) {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        setsid;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$name.log" or die "$name.log: $!";
        open STDERR, '>&', \*STDOUT;
        exec 'sh', '-c', $step;
    }
    waitpid $pid, 0;
    open my $done, '>', "$name.new" or die "$name.new: $!";
    print $done $? & 127 ? 128 + ($? & 127) : $? >> 8, "\n";
    close $done;
    rename "$name.new", "$name.done" or die "rename: $!";
}
END
chmod 755 bin/ci-worker
claim_step='grouplock claim -w msvc10 --pid 0 --max 4h >claim.env'
work_step='. ./claim.env && grouplock run -w msvc10 -n -- echo built && grouplock run -w msvc10 -n -- echo tested'
failing_step='. ./claim.env && grouplock run -w msvc10 -n -- sh -c "echo broken; exit 4"'
release_step='[ ! -e claim.env ] || { . ./claim.env; rm claim.env; grouplock release; }'

# server NAME: a worker of the server, which waits for steps.
server() {
    mkfifo "$1.steps"
    spawn "$1" ci-worker "$1"
    soon "has_open ${pids[$1]} $1.steps" || die "'$1' should wait for steps"
}

# step NAME COMMAND: done by the server; $status and $out are the step's.
step() {
    rm -f "$1.done" "$1.log"
    printf '%s\n' "$2" 1<>"$1.steps"
    soon "[[ -e $1.done ]]" || die "the step should be done: $2"
    status=$(<"$1.done")
    out=$(<"$1.log")
}

server w
step w "$claim_step"
is "$status:$out:$(held_slots)" "0::$claimed" "first step: the claim, which outlives the step"
queue other -w msvc11
step w "$work_step"
is "$status:$out" $'0:built\ntested' "second step: it passes"
ok 'still_waits other' "... others wait"
step w "$release_step"
is "$status:$out" 0: "third step: the release, which always runs"
ok 'starts other' "... the next build has its turn"
end other
step w "$release_step"
is "$status:$out" 0: "... where nothing was claimed it has nothing to do"

step w "$claim_step"
queue other -w msvc11
step w "$failing_step"
is "$status:$out" '4:broken' "a second step that fails"
step w 'kill -KILL $$'
is "$status" 137 "... or is killed"
ok 'still_waits other' "... leaves the claim as it is"
step w "$release_step"
is "$status:$out" 0: "... for the step that always runs"
ok 'starts other' "... the next build has its turn"
step w "$claim_step -n"
is "$status:${out%%;*}:$(<claim.env)" '75:grouplock: hw1 is full (1 of 1):(exit 75)' "a first step that has no slot fails"
step w "$work_step"
is "$status:$out" '75:' "... and so does the second, if it is run all the same"
step w "$release_step"
like "$status:$out" '^0:grouplock: nothing to release' "... the third has nothing to release"
end other

# The server is gone, with all its processes, before the release: --max is what is left.
step w "${claim_step/4h/12}"
is "$status:$(held_slots)" "0:$claimed" "a claim of a few seconds"
queue other -w msvc11
mkfifo step.go
printf '%s\n' '. ./claim.env; exec grouplock run -w msvc10 -n -- hold step' 1<>w.steps
starts step || die "the second step should run"
pid=$(pgrep -P "${pids[w]}")
echo 'end step' >>trace
kill -KILL -- "${pids[w]}" "-$pid"
finish w
soon "dead $pid" || die "the step should be dead"
ok 'starts other' "the server and its step are killed: the next build has its turn when --max is over"
server again
step again "$release_step"
like "$status:$out" '^0:grouplock: claim [0-9a-f]{8} had already ended: its slot has since been given to another$' \
    "the server is back and runs the release: it says that the claim had ended"
is "$(held_slots)" "$claimed" "... and leaves the next build alone"
end other
ok 'all_free hw1 default 0' "... to its end"

done_testing
