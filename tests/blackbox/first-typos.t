#!/usr/bin/env bash
# A typo is told with what was meant.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[grouplock]
strict = yes
[workers]
msvc10   = builder
win-*    = builder
[slots]
builder  = 2
hw1      = 1
[slots link]
[slots devkit]
END

# meant WORD NAME COMMAND...: grouplock refuses and asks whether WORD was meant.
meant() {
    local word=$1 name=$2
    shift 2
    run "$grouplock" "$@"
    refused "$name: $*" "did you mean '$word'?"
}

# not_meant NAME COMMAND...: grouplock refuses and asks nothing.
not_meant() {
    local name=$1
    shift
    run "$grouplock" "$@"
    ((status == 125)) && [[ $err != *'did you mean'* ]]
    verdict $? "$name: $*" || diag "$status: $err"
}

meant run "a command" rnu -- true
meant status "a command" stauts
meant status "a command cut short" stat
meant release "a command in capitals" RELAESE
not_meant "nothing like a command" cmake
meant --timeout "an option" run --timout 3 -- true
meant --worker "an option with a value" run --wroker=x -- true
meant --prometheus "an option of another command" status --promethius
meant --version "an option before the command" --verison
not_meant "nothing like an option" run --frobnicate
not_meant "an option that two could be" run --con x
like "$err" "ambiguous option '--con'" "... says so"
run "$grouplock" run --quiet=yes -- true
refused "an option with a value it does not take" "'--quiet' takes no argument"
meant link "a lock" run -w msvc10 -l lnik -- true
meant devkit "a lock of two" run -w msvc10 -l link -l devkti=all -- true
meant link "a lock" status -l lin
meant devkit "a lock" which -w msvc10 -l devkits
not_meant "nothing like a lock" run -w msvc10 -l board -- true
meant builder "a group" status -g bulider
not_meant "nothing like a group" status -g elsewhere
meant msvc10 "a worker, under strict" run -w mvsc10 -- true
not_meant "nothing like a worker" run -w debian -- true
meant workers "a list" which --list worker

# -g may say any group, so that a typo is no error; but it is told, since the build is alone in its group then.
run "$grouplock" run -g bulider -- echo ran
is "$status:$out:$err" "0:ran:grouplock: group 'bulider' is not in '$dir/groups.ini'; did you mean 'builder'?" "run -g: a group"
run "$grouplock" claim -g bulider --pid 0 --max 1
like "$err" "did you mean 'builder'" "claim -g: a group"
for group in builder hw1 hw2 elsewhere BUILDER; do
    run "$grouplock" run -g "$group" -- echo ran
    is "$status:$out:$err" 0:ran: "run -g $group: no question"
done
run "$grouplock" run -q -g bulider -- echo ran
is "$status:$out:$err" 0:ran: "... nor under -q"

# In the file, by run and by check.
# in_file WORD NAME <<FILE
in_file() {
    cat >typo.ini
    run "$grouplock" run -f typo.ini -- true
    refused "$2: run" "did you mean '$1'?"
    run "$grouplock" check -f typo.ini
    like "$status:$out" "^1:.*error: .*did you mean '${1//[/\\[}'\?" "... check"
}
in_file '[slots]' "a section" <<<'[solts]'
in_file '[slots]' "a lock's section" <<<'[slosts link]'
in_file '[workers]' "a section in the singular" <<<'[worker]'
in_file '[grouplock]' "a section" <<<'[groplock]'
in_file directory "a key" <<<$'[grouplock]\ndirectry = /srv'
in_file strict "a key" <<<$'[grouplock]\nstrickt = yes'
cat >typo.ini <<<$'[workers]\nmsvc10 = builder\n[slots]\nbulider = 2'
run "$grouplock" check -f typo.ini
like "$out" "warning: group 'bulider' has slots, but .* did you mean 'builder'\?" "a group with slots whose workers are in another: check"
cat >typo.ini <<<$'[workers]\nmsvc10 = hw1\n[slots]\nhw2 = 2'
run "$grouplock" check -f typo.ini
unlike "$out" "did you mean" "... but not one that has another number"
done_testing
