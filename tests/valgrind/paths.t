#!/usr/bin/env bash
# The main paths under valgrind: no invalid access, nothing uninitialised, no leak. `make valgrind` runs this with a
# dynamic program, whose libraries valgrind knows.
# shellcheck source=tests/blackbox/lib.sh
. "$(dirname "$0")/../blackbox/lib.sh"

command -v valgrind >/dev/null || die "valgrind is not installed: scripts/setup --bench"

# What a process still has in its hands when it ends is no leak: it had no use for giving that back.
kinds=definite,indirect,possible
valgrind=(valgrind --quiet --error-exitcode=99 --leak-check=full "--show-leak-kinds=$kinds" "--errors-for-leak-kinds=$kinds")

# checked EXPECTED-STATUS ARGUMENT...: grouplock with these arguments. What valgrind says goes to the file `said`; that
# it has no pidfd_open(2), and so sees a run without a keeper, is no finding.
checked() {
    local expected=$1
    shift
    run "${valgrind[@]}" --log-file=said "$grouplock" "$@"
    is "$status:$(grep -Ev '^--|^==[0-9]+== *$' said)" "$expected:" "$(quoted "$@")"
}

quoted() {
    printf '%s ' "${@:1:9}"
}

write_config <<'END'
[grouplock]
[workers]
msvc10  = hw1
linux-* = hw2
[slots]
* = 1
hw2 = 3
[slots link]
[slots devkit]
hw2 = kit-a kit-b
END

# Something that valgrind must find, or all of this proves nothing.
cat >leak.c <<'END'
#include <stdlib.h>
int main(void) { return malloc(1) == NULL; }
END
cc -o leak leak.c || die "no compiler"
run "${valgrind[@]}" --log-file=said ./leak
is "$status" 99 "a leak is found"

checked 0 run -w msvc10 -- true
checked 0 run -k -w linux-1 -l devkit=2 -l link -- true
checked 0 run -q -w linux-1 -x -- "$grouplock" run -w linux-1 -- true
checked 127 run -w msvc10 -- /nonexistent
checked 125 run -w msvc10 -c 2 -- true
checked 125 run -l lnik -- true
checked 125 run --no-such-option
hold holder -w msvc10
checked 75 run -w msvc10 -n -- true
checked 75 run -w msvc10 -t 1.5 --heartbeat 1 -- true
spawn waiter "${valgrind[@]}" --log-file=said.waiter "$grouplock" run -w msvc10 -- true
soon 'queued waiter' || die "the waiter should have queued"
checked 0 status
checked 0 status -J
checked 0 status --prometheus -g hw1
end holder
finish waiter
is "$status:$(grep -Ev '^--|^==[0-9]+== *$' said.waiter)" 0: "a waiter, until it has its slot"
checked 1 release 12345678
checked 0 which -w linux-7
checked 0 which -w msvc10 -J
checked 0 check -d "$dir/locks"
write_config <<<$'[slots]\nhw1 = 4x\n[workers\nmsvc10 = hw1 ; no\n[slots]\nhw1 = 2\n'
checked 1 check -d "$dir/locks"
checked 125 run -w msvc10 -- true

done_testing
