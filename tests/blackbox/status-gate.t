#!/usr/bin/env bash
# status and the gate: it waits for it, but not for ever, and stops nobody while it has it.
. "$(dirname "$0")/lib.sh"

write_config <<<$'[slots]\nhw1 = 1\nhw2 = 1'
run "$grouplock" run -g hw1 -- true
run "$grouplock" run -g hw2 -- true
soon 'slot_free hw1 default 0 && slot_free hw2 default 0' || die "both slots should be free"
gate=locks/hw1/default/gate

# keep_gate NAME: somebody has the gate of hw1.
keep_gate() {
    mkfifo "$1.go"
    spawn "$1" flock $gate hold "$1"
    starts "$1" || die "'$1' should have the gate"
}

# --- a gate that is kept ------------------------------------------------------
keep_gate keeper
run "$grouplock" status
is "$status" 1 "a gate that somebody keeps: status 1"
like "$err" "^grouplock: hw1: .*'$dir/$gate'.* 5 seconds by pid ${pids[keeper]} \\(flock $gate hold keeper\\)" \
    "... stderr says which, and who keeps it"
is "$(sed 1d <<<"$out" | tr -s ' ')" 'hw2 default 0 free - - - - -' "... all others are shown"
run "$grouplock" status -g hw2
is "$status:$err" 0: "... and nobody waits who does not ask for it"

spawn patient "$grouplock" status -g hw1
soon "asleep patient $gate" || die "'patient' should wait for the gate"
end keeper
finish patient
is "$status:$err" 0: "it waits for a gate that is kept for a moment"
is "$(sed 1d <<<"$out" | tr -s ' ')" 'hw1 default 0 free - - - - -' "... and looks then"

# --- signals ------------------------------------------------------------------
keep_gate again
spawn stopper "$grouplock" status -g hw1
soon "asleep stopper $gate" || die "'stopper' should wait for the gate"
signal stopper TSTP
signal stopper TTIN
# Bit 19 is SIGTSTP's: it has arrived, and is kept back.
pending() {
    local signals
    signals=$(sed -n 's/^ShdPnd:[[:space:]]*//p' "/proc/${pids[$1]}/status")
    ((16#$signals & 1 << 19))
}
ok "soon 'pending stopper' && ! stopped stopper" "a stop from the terminal has to wait while the gate is waited for"
end again
soon 'stopped stopper' || die "'stopper' should stop now"
ok "flock -n $gate true" "... and when it stops it has not got the gate"
run "$grouplock" run -g hw1 -n -- true
is "$status:$err" 0: "... and is in nobody's way"
signal stopper CONT
finish stopper
is "$status:$err" 0: "... continued it goes on"
is "$(sed 1d <<<"$out" | tr -s ' ')" 'hw1 default 0 free - - - - -' "... and prints what it saw"

for signal in INT TERM; do
    rm -f third.go
    keep_gate third
    spawn ended "$grouplock" status -g hw1
    soon "asleep ended $gate" || die "'ended' should wait for the gate"
    signal ended $signal
    finish ended
    is "$status" $((128 + $(kill -l $signal))) "SIG$signal ends it at once, while it waits for the gate"
    end third
    run "$grouplock" run -g hw1 -n -- true
    is "$status:$err" 0: "... and the gate is free"
done

# --- no gate ------------------------------------------------------------------
hold holder -g hw1
mv $gate kept
run "$grouplock" status
is "$status" 1 "a gate that was removed: status 1"
like "$err" "^grouplock: hw1: .*'$dir/$gate' is missing" "... stderr says so"
ok '[[ ! -e $gate ]]' "... and it is not created"
mv kept $gate
end holder
mkdir locks/hw2/link
write_config <<<$'[slots]\nhw1 = 1\nhw2 = 1\n[slots link]\nhw2 = 1'
run "$grouplock" status -g hw2
is "$status:$err:$(sed 1d <<<"$out" | tr -s ' ' | tail -n 1)" '0::hw2 link 0 free - - - - -' "a lock's directory without anything in it is free"

# --- NFS ----------------------------------------------------------------------
# It has exclusive locks for writers only: flock() says EBADF to somebody who can only read. Then a
# shared lock of the gate has to do.
if strace -o calls true; then
    traced() {
        ASAN_OPTIONS=detect_leaks=0 exec strace -f -qq -o calls -e trace=flock -e inject=flock:error=EBADF:when=1 \
            "$grouplock" status -g hw1 -l default
    }
    run traced
    is "$status:$err" 0: "no exclusive lock for those who only read"
    is "$(sed 1d <<<"$out" | tr -s ' ')" 'hw1 default 0 free - - - - -' "... and all is seen"
    like "$(grep -o 'flock.*' calls | head -n 2 | paste -sd ' ')" \
        'LOCK_EX\|LOCK_NB.*EBADF.*INJECTED.*LOCK_SH\|LOCK_NB\) *= 0' "... under a shared lock of the gate"
    keep_gate fourth
    spawn shared traced
    soon 'grep -q "flock([0-9]*, LOCK_SH\b[^|]*$" calls' || die "it should wait for the gate, to share it"
    end fourth
    finish shared
    is "$status:$err" 0: "... which it waits for, too"
else
    skip "strace cannot trace here, so that no system call can be made to fail"
fi

done_testing
