#!/usr/bin/env bash
# The keeper holds the slot for a command that closes its descriptors, whatever
# is sent to it; and the command holds the slot if the keeper is killed.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END

# --- a command that closes all --------------------------------------------------
holder a "$grouplock" run -g hw1 -- close-all a
is "$(fds "${pids[a]}" | cut -d' ' -f1 | paste -sd ' ')" '0 1 2' "a command closes every descriptor from 3 up"
keeper=$(keeper_of a)
ok 'has_open "$keeper" "$slot"' "the keeper has the slot open"
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "the slot is held"
queue b -g hw1
ok 'still_waits b' "... and waited for"
end a
is "$status" 0 "the command ends"
ok 'starts b' "... and the next waiter starts"
end b
ok 'all_free hw1 default 0' "... and ends"
is "$(start_order) $(most_at_once)" 'a b 1' "one after the other"
ok '[[ ! -e ran ]]' "nobody else has run"

# One that ends by a signal.
holder a "$grouplock" run -g hw1 -- close-all a
queue b -g hw1
ok 'still_waits b' "a command that has closed all is waited for"
end_by a KILL
ok 'starts b' "... until it is killed"
end b

# One whose work is done by a child, which has it closed as well.
cat >bin/closing-parent <<'END'
#!/usr/bin/perl
# closing-parent ID: closes all, then runs `hold ID` as its child, whose pid ID.child has, and waits.
use POSIX ();
POSIX::close($_) for 3 .. 4096;
exit system 'sh', '-c', 'echo $$ >"$1.child"; exec hold "$1"', 'child', $ARGV[0];
END
chmod 755 bin/closing-parent
holder a "$grouplock" run -g hw1 -- closing-parent a
ok '! has_open "${pids[a]}" "$slot" && ! dead $(<a.child) && ! has_open $(<a.child) "$slot"' \
    "a command and its child, both without the slot's descriptor"
queue b -g hw1
ok 'still_waits b' "... are waited for"
end a
ok 'starts b' "... until both have ended"
end b
is "$(most_at_once)" 1 "one at a time"

# --- the keeper killed ----------------------------------------------------------
hold a -g hw1
queue b -g hw1
kill_keeper a
ok 'no_keepers' "the keeper is killed"
ok 'has_open "${pids[a]}" "$slot"' "the command has the slot open"
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "... and holds it"
ok 'still_waits b' "... while others wait"
end a
is "$status" 0 "the command ends as ever"
ok 'starts b' "... and the next waiter starts"
end b

# --- what does not end the keeper -------------------------------------------------
# A daemon is left behind each time, so that only a keeper that lives frees the slot.
leaver a -g hw1
queue b -g hw1
keeper=$(keeper_of a)
perl -MPOSIX -e 'my $pid = shift; for (1 .. 64) { next if $_ == SIGKILL || $_ == SIGSTOP; kill $_, $pid or die "$_: $!" }' \
    "$keeper" || die "the keeper should have been there"
ok 'still_waits b' "all signals that can be blocked, sent to the keeper: the slot is held"
end a
ok 'starts b' "... and freed by it when the command has ended"
ok 'has_open "$daemon" "$slot"' "... not by the daemon"
end b
end_daemons

leaver a -g hw1
queue b -g hw1
keeper=$(keeper_of a)
for i in 1 2 3; do
    kill -STOP "$keeper"
    soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped ($i)"
    kill -CONT "$keeper"
    soon '[[ $(field "$keeper" State) == S* ]]' || die "the keeper should sleep again ($i)"
done
ok 'still_waits b' "a keeper stopped and continued: the slot is held"
end a
ok 'starts b' "... and freed when the command has ended"
end b
end_daemons

leaver a -g hw1
keeper=$(keeper_of a)
kill -STOP "$keeper"
soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped"
end a
is "$status" 0 "a stopped keeper: the command ends as ever"
run "$grouplock" run -g hw1 -n -- touch ran
is "$status" 75 "... the slot is held"
queue b -g hw1
kill -CONT "$keeper"
ok 'starts b' "... until the keeper is continued"
ok 'soon "dead $keeper"' "... and ends"
end b
ok '[[ ! -e ran ]]' "nobody else has run"
is "$(most_at_once)" 1 "one at a time"

done_testing
