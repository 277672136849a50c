#!/usr/bin/env bash
# A claim lasts as long as the script that claimed, whatever that does and starts
# meanwhile; and the script sees nothing of the keeper.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0

# --- what does not end it ------------------------------------------------------------
for shell in "${shells[@]}"; do
    build b "$shell"
    claim_in b -g hw1
    queue next -g hw1
    for order in 'for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done' 'sh -c "exit 1"' 'sh -c "kill -KILL \$\$"' \
        '(cd / && /bin/true) | cat' 'x=$(echo output)' '"$grouplock" run -g hw1 -n -- true' 'cd /; cd - >/dev/null' \
        'trap "" TERM HUP; kill -TERM $$; kill -HUP $$; trap - TERM HUP' 'for fd in 3 4 5 6 7 8; do eval "exec $fd>&-"; done' \
        'set -m; /bin/true & wait $!; set +m' 'exec </dev/null' 'umask 077; ulimit -c 0' 'unset GROUPLOCK_HELD GROUPLOCK_CLAIM' \
        'env -i /bin/true'; do
        does b "$order"
        is "$(held_slots)" "$claimed" "$shell: $order: the script holds"
    done
    daemons_of b
    end_daemon "$(<b.1.daemon)"
    end_daemon "$(<b.2.daemon)"
    is "$(held_slots)" "$claimed" "... after the end of daemons, too"
    signal b STOP
    soon 'stopped b' || die "'b' should have stopped"
    is "$(held_slots)" "$claimed" "... stopped, too"
    signal b CONT
    does b 'echo goes on'
    is "$out" 'goes on' "... and continued"
    ok 'still_waits next' "... and the next still waits"

    # The script becomes another program: same process, same claim.
    for command in hold close-all; do
        rm -f b.held b.go
        mkfifo b.go
        tell b "exec $command b"
        starts b || die "the script should have become another program"
        ok 'still_waits next' "$shell: a script that becomes another program ($command) holds"
        ok '! has_open "${pids[b]}" "locks/*"' "... which has no descriptor of it"
        end b
        ok 'starts next' "... to the end of that"
        end next
        [[ $command == hold ]] || break
        build b "$shell"
        claim_in b -g hw1
        queue next -g hw1
    done
done

# --- what a script sees of it ---------------------------------------------------------
for shell in "${shells[@]}"; do
    build b "$shell"
    claim_in b -g hw1
    does b 'wait; echo "waited $?"; jobs; echo none'
    is "$out" $'waited 0\nnone' "$shell: wait and jobs know nothing of a keeper"
    keeper=$(keeper_of b)
    ok '[[ $keeper && $(field "$keeper" PPid) != "${pids[b]}" ]]' "... which is no child of the script"
    does b 'ls -l /proc/$$/fd'
    unlike "$out" 'locks/|pidfd' "... and the script has no descriptor more"
    tell b 'exit'
    finish b
done
run reap dash -c "$(claiming -g hw1); kill -KILL \$\$"
is "$out" $'command -9\norphans grouplock-keepe 0 1' "who adopts the keeper can wait() for it like for any orphan"
is "$(held_slots)" '' "... and then nothing is held"

# Nothing of the caller's is kept open: a pipe is at its end with the script, even if
# the keeper is stopped then.
cat >bin/piped <<'END'
#!/bin/bash
# piped: a script whose descriptors 1, 2, 5 and 200 are pipes, which are copied until their end.
exec dash bin/build piped 1> >(cat; touch 1.eof) 2> >(cat; touch 2.eof) 5> >(cat; touch 5.eof) 200> >(cat; touch 200.eof)
END
chmod 755 bin/piped
mkfifo piped.do
spawn piped piped
soon '[[ -e piped.answer ]]' || die "'piped' should wait for orders"
claim_in piped -g hw1
keeper=$(keeper_of piped)
kill -STOP "$keeper"
soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped"
tell piped exit
finish piped
ok 'soon "[[ -e 1.eof && -e 2.eof && -e 5.eof && -e 200.eof ]]"' "a script's pipes are at their end when it has ended"
ok '! dead "$keeper" && ! slot_free hw1 default 0' "... although the keeper is still there"
kill -CONT "$keeper"
ok 'all_free hw1 default 0' "... until it goes on"
is "$(most_at_once)" 1 "one at a time"

done_testing
