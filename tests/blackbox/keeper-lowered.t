#!/usr/bin/env bash
# A keeper that cannot wait as it should, since its limit on descriptors was lowered under it, goes on
# waiting as it can: it frees nothing before its time, does free it then, and does not spin.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
# lower KEEPER: its next ppoll(2) fails, and all that follow: a stop and a SIGCONT begin the call again.
lower() {
    kill -STOP "$1"
    soon '[[ $(field '"$1"' State) == T* ]]' || die "the keeper should have stopped"
    prlimit --pid "$1" --nofile=0:0
    kill -CONT "$1"
    soon '[[ $(field '"$1"' State) != T* ]]'
}
# sleeps PID: asleep at each of many looks in a row, which one that spins never is.
sleeps() {
    local i
    for ((i = 0; i < 30; i++)); do
        [[ $(field "$1" State) == S* ]] || return 1
        read -rt 0.01 -u "$never"
    done
    return 0
}

for command in hold leave close-all; do
    holder a "$grouplock" run -g hw1 -- $command a
    [[ $command != leave ]] || await_daemon a
    keeper=$(keeper_of a)
    lower "$keeper"
    ok "soon 'sleeps $keeper'" "a keeper ($command) whose limit was lowered sleeps"
    run "$grouplock" run -g hw1 -n -- true
    is "$status" 75 "... the slot is held"
    queue b -g hw1
    ok 'still_waits b' "... and waited for"
    end a
    ok 'starts b' "... until the command ends"
    end b
    ok "soon 'dead $keeper'" "... and the keeper with it"
    end_daemons
done
run prlimit --nofile=200 "$grouplock" run -g hw1 -- sh -c 'ulimit -n 10; sleep 0.3'
is "$status:$err" 0: "a command that lowers its own limit"
ok 'all_free hw1 default 0' "... its slot is free when it has ended"

for end in script release max; do
    build b
    case $end in
        max) claim_in b -g hw1 --max 3 ;;
        *) claim_in b -g hw1 ;;
    esac
    keeper=$(keepers)
    lower "$keeper"
    [[ $end == max ]] || ok "soon 'sleeps $keeper'" "a claim's keeper whose limit was lowered sleeps"
    case $end in
        script) tell b exit ;;
        release) does b '"$grouplock" release' && is "$status:$err" 0: "... and can be told to release" ;;
        max) ;;
    esac
    ok 'all_free hw1 default 0' "... the slot is free: $end"
    ok "soon 'dead $keeper'" "... and the keeper has ended"
    [[ $end == script ]] || tell b exit
    finish b
done
done_testing
