#!/usr/bin/env bash
# A claim ends with the script that claimed, in whatever way that ends and whatever it
# leaves behind.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
claimed=hw1/default/slot.0

# --- ends ------------------------------------------------------------------------
# What brings about the end, and the status that the script has then.
exits_0() { tell b 'exit 0'; }
exits_3() { tell b 'exit 3'; }
fails_under_set_e() { tell b 'set -e; false'; }
kills_itself() { tell b 'kill -KILL $$'; }
is_killed() { signal b KILL; }
is_terminated() { signal b TERM; }
is_hung_up() { signal b HUP; }
its_group_is_killed() { kill -KILL -- "-${pids[b]}"; }
its_group_is_terminated() { kill -TERM -- "-${pids[b]}"; }
is_killed_while_stopped() {
    signal b STOP
    soon 'stopped b' || die "'b' should have stopped"
    is "$(held_slots)" "$claimed" "a script that is stopped holds"
    signal b KILL
}
step='"$grouplock" run -g hw1 -n -- sh -c "touch step.started; exec sleep 150"'
is_killed_in_a_step() {
    tell b "$step"
    soon '[[ -e step.started ]]' || die "'b' should be in a step"
    rm step.started
    signal b KILL
}

for shell in "${shells[@]}"; do
    for how in exits_0:0 exits_3:3 fails_under_set_e:1 kills_itself:137 is_killed:137 is_terminated:143 is_hung_up:129 \
        its_group_is_killed:137 its_group_is_terminated:143 is_killed_while_stopped:137 is_killed_in_a_step:137; do
        expected=${how#*:} how=${how%:*}
        build b "$shell"
        claim_in b -g hw1
        [[ $how != is_killed ]] || daemons_of b
        queue next -g hw1
        ok 'still_waits next' "$shell: a script holds"
        $how
        finish b
        is "$status" "$expected" "... it ${how//_/ }"
        ok 'starts next' "... and the slot is free"
        if [[ $how == is_killed ]]; then
            ok '! dead "$(<b.1.daemon)" && ! dead "$(<b.2.daemon)"' "... although it has left daemons behind"
            ok '! has_open "$(<b.1.daemon)" "locks/*" && ! has_open "$(<b.2.daemon)" "locks/*"' "... which have nothing of it"
            end_daemons
        fi
        end next
    done
done
ok 'soon no_keepers' "no keeper is left"

# Its parent has not waited for it: it is a zombie.
cat >bin/parent <<'END'
#!/usr/bin/perl
# parent COMMAND...: starts it, and waits for it only when a line comes.
use POSIX;
my $pid = fork // die "fork: $!";
if ($pid == 0) { exec { $ARGV[0] } @ARGV; die "exec: $!" }
open my $go, '+<', 'parent.go' or die "parent.go: $!";
open my $file, '>', 'parent.new' or die "parent.new: $!";
print $file "$pid\n";
close $file;
rename 'parent.new', 'parent.child' or die "rename: $!";
<$go>;
waitpid $pid, 0;
END
chmod 755 bin/parent
mkfifo parent.go
spawn parent parent sh -c "$(claiming -g hw1); touch parent.claimed; exit 0"
soon '[[ -e parent.claimed && -e parent.child ]]' || die "the script should have claimed"
ok 'all_free hw1 default 0' "a script that has ended is no holder"
ok '[[ $(field "$(<parent.child)" State) == Z* ]]' "... although its parent has not waited for it"
echo go >parent.go
finish parent
is "$(most_at_once)" 1 "one at a time"

done_testing
