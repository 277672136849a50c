# shellcheck shell=bash
# What the tests of strange records share: slot 0 and a ticket of hw1 are held by
# processes that write no record, and the test writes one into both.
# shellcheck disable=SC2034 # much is for the tests only
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_config <<<$'[slots]\nhw1 = 1'
place=locks/hw1/default
run "$grouplock" run -g hw1 -- true
((status == 0)) || die "a first run should make the directory"

# Slot 0 and a ticket are held by processes that write no record.
mkfifo holder.go waiter.go
spawn holder flock $place/slot.0 hold holder
starts holder || die "'holder' should hold slot 0"
spawn waiter flock $place/ticket.1 hold waiter
starts waiter || die "'waiter' should hold ticket 1"

boot=$(cat /proc/sys/kernel/random/boot_id)
pidns=$(stat -Lc %i /proc/self/ns/pid)
start=$(sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20)

# record [KEY=VALUE...]: a record of this shell, with these keys instead of its own.
record() {
    local key pair
    local -A value=([kind]=run [worker]=msvc10 [host]=vm7 [boot]=$boot [pidns]=$pidns [pid]=$$ [start]=$start
        [since]=$(date +%s%N) [count]=1 [command]=make)
    for pair; do value[${pair%%=*}]=${pair#*=}; done
    printf 'grouplock 1\nstate held    \n'
    for key in kind id worker host boot pidns pid start since count command; do
        printf '%s %s\n' "$key" "${value[$key]-}"
    done
    printf '\n'
}

# written: writes stdin into slot and ticket; then $slot and $ticket are their rows without GROUP, LOCK and
# SLOT, and $json has both as JSON.
written() {
    tee $place/slot.0 >$place/ticket.1
    run "$grouplock" status
    slot=$(sed -n 's/^hw1 *default *0 //p' <<<"$out" | tr -s ' ')
    ticket=$(sed -n 's/^hw1 *default *1st //p' <<<"$out" | tr -s ' ')
    run_status=$status run_err=$err control=$(tr -d '\n' <<<"$out" | tr -dc '[:cntrl:]')
    run "$grouplock" status -J
    json=$out
}

# shows NAME SLOT TICKET: regular expressions for the two rows, AGE being any age.
shows() {
    is "$run_status:$run_err:$status:$err" 0::0: "$1: no error"
    like "$slot" "^${2//AGE/[0-9dhms]+}$" "... the slot"
    like "$ticket" "^${3//AGE/[0-9dhms]+}$" "... the waiter"
    is "$control" '' "... nothing but text on the terminal"
    ok 'python3 -c "import json, sys; json.load(sys.stdin)" <<<"$json"' "... the JSON is valid"
}

record >good
