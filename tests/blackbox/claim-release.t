#!/usr/bin/env bash
# release: ends the claims that GROUPLOCK_HELD lists, or those whose ids are given, at once;
# those of the same user from wherever, and of nobody else.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
hw3 = 3
[slots link]
* = 1
END
chmod 644 groups.ini
claimed=hw1/default/slot.0
id_form='^[0-9a-f]{8}$'

# claim OPTION...: a claim of the test itself; $id and $held are of it.
claim() {
    run "$grouplock" claim "$@"
    ((status == 0)) || die "there should be a claim ($*), but: $status, $err"
    id=$(said_value CLAIM) held=$(said_value HELD)
}

# not_released NAME WORD...: the last release has status 1 and said why in one line that has
# all the words.
not_released() {
    local name=$1 expected=$status
    shift
    ((status == 1)) && status=125
    refused "$name" "$@"
    status=$expected
}

# over NAME ID...: the last release has status 0 and said in one line for each of these ids, and no more, that no
# record holds it: whether it is over or never was cannot be told.
over() {
    local name=$1 id
    shift
    is "$status:$out:$lines" "0::$#" "$name"
    for id; do
        like "$err" "(^|"$'\n'")grouplock: [^"$'\n'"]*'$id'[^"$'\n'"]*($|"$'\n'")" "... which is said of $id"
    done
}

# --- by the variable ------------------------------------------------------------------------
claim -g hw1
GROUPLOCK_HELD=$held run "$grouplock" release
is "$status:$out:$err:$(held_slots)" 0::: "release of what GROUPLOCK_HELD lists: freed at once, without a word"
GROUPLOCK_HELD=$held run "$grouplock" release
is "$status:$out:$err" 0:: "... a second time: no error, and no word"
claim -g hw3 -l link -l default=2
GROUPLOCK_HELD=$held run "$grouplock" release
is "$status:$err:$(held_slots)" 0:: "... of several slots of two locks"
claim -g hw1 --pid $$ # else 'next' would wait for its own ancestor
queue next -g hw1
GROUPLOCK_HELD=$held run "$grouplock" release
ok 'starts next' "... the next waiter starts"
GROUPLOCK_HELD=$held run "$grouplock" release
is "$status:$(held_slots)" "0:$claimed" "... and is not touched by another release"
end next
for value in '' ' ' garbage '=' '/' '///=' "$claimed" "$claimed=" "$claimed=0123456789abcdef0123456789abcdef" "../../etc/slot.0=1" \
    "hw9/default/slot.0=1" "hw1/nothing/slot.0=1" "hw1/default/slot.9=1" "hw1/default/gate=1" "%/%/slot.0=1" $'\xff\n=' \
    "$(printf '%0100000d' 0)"; do
    claim -g hw1
    GROUPLOCK_HELD=$value run "$grouplock" release
    is "$status:$(held_slots)" "0:$claimed" "GROUPLOCK_HELD=$(printf %q "${value:0:40}") releases nothing"
    is "$(grep -vc '^grouplock: ' run.err)" 0 "... and all that is said is grouplock's"
    GROUPLOCK_HELD="garbage $held hw9/default/slot.0=1" run "$grouplock" release -q
    is "$status:$err:$(held_slots)" 0:: "... a claim among such is released"
done

# Who cannot see whether it still holds must not say that it has ended.
claim -g hw1
cp "locks/$claimed" record
: >"locks/$claimed"
GROUPLOCK_HELD=$held run "$grouplock" release
not_released "a slot whose record is gone" "$id" "$claimed"
is "$(held_slots)" "$claimed" "... it is still held"
cat record >"locks/$claimed"
GROUPLOCK_HELD=$held run "$grouplock" release
is "$status:$err:$(held_slots)" 0:: "... and is released when the record is back"

# Without it there is nothing to do, which is no error: it may be the step that always runs.
claim -g hw1
run "$grouplock" release
is "$status:$out:$(held_slots)" "0::$claimed" "release without GROUPLOCK_HELD and without an id is true and ends nothing"
like "$err" '^grouplock: nothing to release' "... and says so"
run "$grouplock" release -q
is "$status:$err" 0: "... but not under -q"

# --- by its id --------------------------------------------------------------------------------
like "$id" "$id_form" "an id is eight hexadecimal digits"
is "$("$grouplock" status -J -g hw1 -l default | jq -r '.locks[0].slots[0].claim')" "$id" "... the one that status shows"
run setsid -w env -i "GROUPLOCK_CONFIG=$GROUPLOCK_CONFIG" "GROUPLOCK_DIR=$GROUPLOCK_DIR" "$grouplock" release "$id"
is "$status:$out:$err:$(held_slots)" 0::: "release ID from another session, without any variable of the claim"
run "$grouplock" release "$id"
is "$status:$err" 0: "... a second time: no error, as long as the slot tells of it"
run "$grouplock" run -g hw1 -n -- true
run "$grouplock" release "$id"
over "... nor when the slot has been another's since" "$id"
run "$grouplock" release -q "$id"
is "$status:$out:$err" 0:: "... without a word under -q"
# Whatever has become of the slot meanwhile, the answer is the same.
for meanwhile in nothing a-run a-claim a-holder no-file no-group a-killed-keeper; do
    claim -g hw3
    was=$id
    if [[ $meanwhile == a-killed-keeper ]]; then
        kill -KILL "$(keepers)"
    else
        run "$grouplock" release "$id"
    fi
    all_free hw3 default 0
    case $meanwhile in
        a-run) run "$grouplock" run -g hw3 -- true ;;
        a-claim) claim -g hw3 && GROUPLOCK_HELD=$held run "$grouplock" release ;;
        a-holder) hold holder -g hw3 ;;
        no-file) rm -f locks/hw3/default/slot.0 ;;
        no-group) rm -rf locks/hw3 ;;
    esac
    run "$grouplock" release "$was"
    is "$status" 0 "release of a claim that is over: true, with $meanwhile since"
    [[ $meanwhile != a-holder ]] || end holder
done
claim -g hw1
first=$id
claim -g hw1 -l link
second=$id
ok '[[ $first != "$second" ]]' "each claim has an id of its own"
run "$grouplock" release "$first"
is "$status:$err:$(held_slots)" 0::hw1/link/slot.0 "one of two is released"
run env -C / "$grouplock" release "$second"
is "$status:$err:$(held_slots)" 0:: "... and the other"
claim -g hw3 -l link -l default=3
run "$grouplock" release "$id"
is "$status:$err:$(held_slots)" 0:: "one id is enough for all slots of a claim"
ids=()
for lock in link default=2 default; do
    claim -g hw3 -l $lock
    ids+=("$id")
done
run "$grouplock" release "${ids[@]:1}"
is "$status:$err:$(held_slots)" 0::hw3/link/slot.0 "several ids"
run "$grouplock" release 00000000 "${ids[0]}" ffffffff
is "$(held_slots)" '' "a known id among unknown ones is released"
over "... and the status is 0" 00000000 ffffffff
claim -g hw1
record_id=$(sed -n 's/^id //p' locks/$claimed)
is "${record_id:0:8}" "$id" "an id is the beginning of that of the record"
run "$grouplock" release "$record_id"
is "$status:$err:$(held_slots)" 0:: "... which can be given in full"

claim -g hw1
run "$grouplock" release 00000000
over "an unknown id" 00000000
record_id=$(sed -n 's/^id //p' locks/$claimed)
other_digit=0
if [[ ${record_id:8:1} == 0 ]]; then other_digit=1; fi # the record's next digit would make a longer id of it
for unknown in "${held#*=}" "$id$other_digit" "$id$id" "$(printf '%032d' 0)"; do
    run "$grouplock" release "$unknown"
    over "an unknown id of another length" "$unknown"
    run "$grouplock" release -- "$unknown"
    over "... behind --" "$unknown"
done
for malformed in '' ' ' x "${id:0:7}" "${id:0:7}x" "$id " " $id" "${id^^}x" ABCDEF01 0123456A "*" "????????" "$held" \
    "$claimed" -- 1 "$(printf '%033d' 0)" "$(printf '%040d' 0)" $'\e[31m12345678' "$(printf '%0100000d' 0)"; do
    run "$grouplock" release -- "$malformed"
    like "$status:$lines:$err" '^125:1:grouplock: ' "$(printf %q "${malformed:0:40}") is no id"
    unlike "$err" '[[:cntrl:]]' "... which is said in a line of text"
done
is "$(held_slots)" "$claimed" "... and the claim is still there"
run "$grouplock" release -q ""
refused "no id under -q" "''"
run "$grouplock" release --no-such-option
refused "an unknown option" --no-such-option
run "$grouplock" release -f /nowhere "$id"
refused "a config that is not there" /nowhere
is "$(held_slots)" "$claimed" "... releases nothing"
mkdir elsewhere
run "$grouplock" release -d elsewhere "$id"
over "another directory has no such claim" "$id"
like "$err" elsewhere "... it is named"
is "$(held_slots)" "$claimed" "... and the claim is still held"
run env -u GROUPLOCK_DIR "$grouplock" -d locks release "$id"
is "$status:$err:$(held_slots)" 0:: "-d before release"
claim -g hw1
run "$grouplock" release not-an-id "$id" 00000000
is "$status:$lines:$(held_slots)" 125:2: "a malformed id beside others: those are released, and the status is 125"
claim -g hw1
run env -u GROUPLOCK_DIR -u GROUPLOCK_CONFIG "$grouplock" release -d locks -f groups.ini "$id"
is "$status:$err:$(held_slots)" 0:: "-d and -f after it"

# --- what is no claim -----------------------------------------------------------------------------
hold holder -g hw1
record_id=$(sed -n 's/^id //p' locks/$claimed)
for id in "${record_id:0:8}" "$record_id"; do
    run "$grouplock" release "$id"
    not_released "the slot of a command of run is no claim" "$id"
done
GROUPLOCK_HELD=$(environ holder GROUPLOCK_HELD) run "$grouplock" release
is "$status:$(held_slots)" "0:$claimed" "... and no release ends it"
unlike "$err" "another's|already ended" "... nor tells that it had ended"
end holder
run "$grouplock" run -g hw1 -- bash -c "$(claiming -g hw1 -l link)"'; "$grouplock" release; echo "status $?"; '"flock -n locks/$claimed echo free"
is "$status:$out:$err" "1:status 0:" "a claim within a command of run is released, and what that holds is its own"
hold holder -g hw1
queue waiter -g hw1
run "$grouplock" release "$(sed -n 's/^id //p' locks/hw1/default/ticket.* | head -n 1)"
is "$status" 125 "a waiter has no id"
end holder
end waiter

# --- other users ----------------------------------------------------------------------------------
as() {
    setpriv --reuid "$1" --regid "$1" --groups 54321 "${@:2}"
}
if ((EUID == 0)); then
    chmod 777 .
    fresh_locks 2770
    chgrp 54321 locks
    chmod 2770 locks
    install -m 755 "$grouplock" bin/grouplock
    spawn target setpriv --reuid 12345 --regid 12345 --groups 54321 sleep 150
    soon '[[ $(field "${pids[target]}" Uid) == 12345* ]]' || die "'target' should be the user's"
    # theirs: a claim of user 12345.
    theirs() {
        run as 12345 bin/grouplock claim -g hw1 --pid "${pids[target]}"
        ((status == 0)) || die "user 12345 should have claimed: $err"
        id=$(said_value CLAIM) held=$(said_value HELD)
    }
    theirs
    mkdir -m 700 locks/aaa
    run as 12345 bin/grouplock release 00000000 # it may be in there, so nobody can say that there is none
    not_released "an unknown id, where a group cannot be read" "$dir/locks/aaa"
    run as 12345 bin/grouplock release "$id"
    is "$status:$err:$(held_slots)" 0:: "such a group, first of all, keeps nobody from releasing a claim of another one"
    rmdir locks/aaa
    theirs
    run as 12346 bin/grouplock release "$id"
    not_released "another user may not release a claim" "$id"
    like "$err" "another user" "... and is told whose it is"
    is "$(held_slots)" $claimed "... it is still held"
    GROUPLOCK_HELD=$held run as 12346 bin/grouplock release
    not_released "... not with its GROUPLOCK_HELD either" "$id"
    is "$(held_slots)" $claimed "... it is still held"
    run as 12345 env -i "GROUPLOCK_CONFIG=$GROUPLOCK_CONFIG" "GROUPLOCK_DIR=$GROUPLOCK_DIR" setsid -w bin/grouplock release "$id"
    is "$status:$err:$(held_slots)" 0:: "the same user may, from another session"
    theirs
    run "$grouplock" release "$id"
    is "$status:$err:$(held_slots)" 0:: "root may, too"
    theirs
    run setpriv --reuid 12347 --regid 12347 --clear-groups bin/grouplock release "$id"
    like "$status:$lines:$err" "^1(25)?:1:grouplock: .*Permission denied" "who may not even read the directory is told so"
    is "$(held_slots)" $claimed "... it is still held"
    end_by target KILL
    ok 'all_free hw1 default 0' "... to the end of its process"
else
    skip "not root: cannot become another user"
fi

done_testing
