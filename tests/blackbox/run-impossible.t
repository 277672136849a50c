#!/usr/bin/env bash
# Claims 7: requests that can never be met are refused at once, with both numbers.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
hw1 = 12
one = 1
closed = 0
[slots devkit]
hw1 = kit-a kit-b kit-c kit-d kit-e kit-f
END

# impossible NAME ASKED LIMIT RUN-OPTION...
impossible() {
    run timeout 60 "$grouplock" run "${@:4}" -- touch ran
    refused "$1" "$2" "$3"
    ok '[[ ! -e ran ]]' "... and nothing ran"
}

for how in -n '-t 20' ''; do
    # shellcheck disable=SC2086 # words
    impossible "one too many $how" 13 12 -g hw1 $how -c 13
done
impossible "far too many" 1024 12 -g hw1 -c 1024
impossible "for a lock by its name" 34 12 -g hw1 -l default=34
impossible "two where there is one" 2 1 -g one -c 2
impossible "the default limit" 2 1 -g unlisted -c 2
impossible "more than there are names" 7 6 -g hw1 -l devkit=7
is "$(find locks -name 'slot.*' -o -name 'ticket.*')" '' "no slot and no ticket was made"

hold holder -g hw1 -x
queue waiter -g hw1
impossible "at once while others hold and wait" 13 12 -g hw1 -c 13
ok 'still_waits waiter' "... whom it does not bother"
end holder
end waiter

# A closed group may be opened as wide as anybody likes.
run "$grouplock" run -g closed -n -c 5 -- touch ran
is "$status" 75 "a closed group is no impossible request"
run "$grouplock" run -g closed -n -x -- touch ran
is "$status" 75 "... nor is all of it"
run "$grouplock" run -g hw1 -n -c 12 -- echo ran
is "$status:$out" 0:ran "exactly the limit is possible"

done_testing
