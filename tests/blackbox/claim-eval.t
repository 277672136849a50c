#!/usr/bin/env bash
# claim in a shell script: eval of what it prints gives the script slots and the
# variables for them; eval of a claim that failed has the claim's status.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[workers]
w1 = hw1
w2 = hw1
[slots]
* = 1
hw2 = 2
hw0 = 0
[slots link]
* = 1
[slots my-lock.2]
* = 3
END

# variables: those of grouplock that a child of the build finds; of GROUPLOCK_HELD
# and GROUPLOCK_CLAIM only whether they are there.
variables='env | grep ^GROUPLOCK_ | grep -v -e ^GROUPLOCK_CONFIG= -e ^GROUPLOCK_DIR= |
    sed -e "/^GROUPLOCK_CLAIM=/d" -e "s/=[0-9a-f]\{32\}/=ID/g" | sort'
variables=${variables//$'\n'/}

for shell in "${shells[@]}"; do
    # --- a claim and its release --------------------------------------------------
    build b "$shell"
    does b "$(claiming -w w1)"
    is "$status:$out:$err" 0:: "$shell: eval of a claim is true and says nothing"
    ok '! slot_free hw1 default 0' "... the slot is held"
    run "$grouplock" run -w w2 -n -- true
    is "$status" 75 "... from everybody else"
    does b 'echo $GROUPLOCK_WORKER/$GROUPLOCK_GROUP/$GROUPLOCK_SLOT/$GROUPLOCK_SLOT_DEFAULT'
    is "$out" w1/hw1/0/0 "... the script has the variables"
    does b "$variables"
    is "$out" "GROUPLOCK_GROUP=hw1
GROUPLOCK_HELD=hw1/default/slot.0=ID
GROUPLOCK_SLOT=0
GROUPLOCK_SLOT_DEFAULT=0
GROUPLOCK_WORKER=w1" "... and so has what it starts"
    does b 'printenv GROUPLOCK_CLAIM'
    like "$out" '^[0-9a-f]{8}$' "... among them the id of the claim"
    does b '"$grouplock" run -w w1 -n -- printenv GROUPLOCK_SLOT'
    is "$status:$out:$err" 0:0: "... a step of the build passes"
    does b '"$grouplock" release'
    is "$status:$out:$err" 0:: "... release"
    ok 'slot_free hw1 default 0 && no_keepers' "... frees the slot at once"
    does b '"$grouplock" release'
    is "$status:$out:$err" 0:: "... a second one is no error"
    does b 'echo alive'
    is "$out" alive "... and the script goes on"

    # The same variables as a command of run has.
    options='-w w2 -g hw2 -l my-lock.2=2 -l default=2 -l link'
    # shellcheck disable=SC2086 # words
    run "$grouplock" run $options -- sh -c "$variables"
    expected=$out
    like "$expected" $'GROUPLOCK_SLOT_MY_LOCK_2=0 1\n' "several locks: what a command of run finds"
    does b "unset GROUPLOCK_CLAIM GROUPLOCK_HELD GROUPLOCK_SLOT GROUPLOCK_SLOT_DEFAULT GROUPLOCK_GROUP GROUPLOCK_WORKER"
    # shellcheck disable=SC2086
    claim_in b $options
    does b "$variables"
    is "$out" "$expected" "... a script that claims finds, too"
    does b '"$grouplock" release'
    ok 'slot_free hw2 default 0 && slot_free hw2 default 1 && slot_free hw2 link 0 && slot_free hw2 my-lock.2 1' \
        "... until it releases them all"
    tell b 'exit 7'
    finish b
    is "$status:$err" 7: "... its end is its own"

    # --- claims that fail -----------------------------------------------------------
    hold holder -w w1
    build b "$shell"
    for failure in '-w w2 -n:75' '-w w2 -t 0.05:75' '-w w2 -n -E 9:9' '-w w2 -n -E 255:255' '-w w2 -n -E 1:1' \
        '-w w2 -c 2:125' '-l nothing:125' '--no-such-option:125' '--pid 0:125' '-f /nowhere:125' '-d /nowhere:125' \
        '-g hw0 -n:75'; do
        does b "$(claiming "${failure%:*}")"
        is "$status:$out" "${failure##*:}:" "$shell: eval of 'claim ${failure%:*}' has its status"
        like "$err" '^grouplock: ' "... and it says why"
    done
    does b "$(claiming -w w2 -n -E 0)"
    is "$status:$out:$err" 0:: "... with -E 0 it is true, without a word"
    does b 'echo "${GROUPLOCK_HELD-unset} ${GROUPLOCK_CLAIM-unset}"'
    is "$out" 'unset unset' "... and no claim is there"
    does b "$(claiming -w w2 -n) || echo otherwise \$?"
    is "$status:$out" '0:otherwise 75' "... || finds it"
    does b "$(claiming -w w2 -n) && echo went on"
    is "$status:$out" '75:' "... && finds it"
    does b "if $(claiming -w w2 -n); then echo went on; else echo otherwise; fi"
    is "$out" otherwise "... if finds it"
    tell b 'exit 0'
    finish b
    run "$shell" -ec "$(claiming -w w2 -n); touch ran"
    is "$status" 75 "... under set -e the script ends with it"
    ok '[[ ! -e ran ]]' "... there"
    run "$shell" -c "$(claiming -w w2 -n)"' || exit; touch ran'
    is "$status" 75 "... with || exit, too"
    ok '[[ ! -e ran ]]' "... there"
    end holder
    run "$shell" -euc "$(claiming -w w2 -n); echo \$GROUPLOCK_SLOT"
    is "$status:$out:$err" 0:0: "... and under set -eu a claim that is had goes on"
    ok 'all_free hw1 default 0' "... to the script's end"
done

# --- what is printed --------------------------------------------------------------------
run "$grouplock" claim -w w1
is "$status:$err" 0: "claim, for whoever reads it"
is "$(grep -vcE "^[A-Z][A-Z0-9_]*='[^']*'; export [A-Z][A-Z0-9_]*\$" run.out)" 0 "... prints lines of one form only"
is "$(sed "s/=.*; export / /" run.out | awk '$1 != $2' | wc -l)" 0 "... each of which exports what it sets"
run "$grouplock" release "$(said_value CLAIM)"
is "$status" 0 "... and is released"
hold holder -w w1
run "$grouplock" claim -w w2 -n
is "$status:$out" '75:(exit 75)' "a claim that fails prints (exit 75)"
run "$grouplock" claim -w w2 -n -E 0
is "$status:$out" 0: "... and nothing with -E 0"
end holder
# Where the mistake stands before the word, or in it, there is no claim yet that could fail.
for words in '--no-such-option claim -w w1' '-x claim' '-f claim' 'claime -w w1' 'caim'; do
    run bash -c "eval \"\$(\"\$grouplock\" $words)\" || exit; touch ran"
    refused "eval \"\$(grouplock $words)\" fails" "see 'grouplock --help'"
done
ok '[[ ! -e ran ]]' "... and || exit ends the script"
for words in '--no-such-option run -- true' 'mkae all'; do
    # shellcheck disable=SC2086 # words
    run "$grouplock" $words
    refused "grouplock $words prints nothing" "see 'grouplock --help'"
done

# No shell at all has to be POSIX's finest.
run bash --posix -c "$(claiming -w w1); echo \$GROUPLOCK_SLOT"
is "$status:$out" 0:0 "bash --posix"
run bash -c "IFS=\"0'=;\"; set -f; $(claiming -w w1); printenv GROUPLOCK_SLOT"
is "$status:$out" 0:0 "an odd IFS"
ok 'all_free hw1 default 0' "... and the slot is free"

# --- help -----------------------------------------------------------------------------------
run "$grouplock" claim --help
is "$status:$err" 0: "claim --help"
for option in -w --worker -g --group -l --lock -c --count -x --exclusive -n --nonblock -t --timeout \
    -E --conflict-exit-code --heartbeat -q --quiet -v --verbose --pid --max --json -f -d; do
    like " ${out//[,=]/ } " "[[:space:]]${option}[[:space:]]" "... has $option"
done
run "$grouplock" release --help
is "$status:$err" 0: "release --help"
like "$out" 'ID' "... has ID"
run "$grouplock" --help
like "$out" $'\n  claim .*\n  release ' "grouplock --help has both"

done_testing
