#!/usr/bin/env bash
# The keeper weakens nothing: whatever happens to it, to the command and to daemons,
# there are never more slots held than there are.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
hw2 = 2
hw3 = 3
END

# --- one case after the other ---------------------------------------------------------
# A bystander has one of two slots, `a` the other, and `c` waits.
declare -A ends_by=([exits]=end [killed]=kill_command [group]=kill_group)
kill_command() { end_by "$1" KILL; }
kill_group() {
    echo "end $1" >>trace
    kill -KILL -- "-${pids[$1]}"
    finish "$1"
}

# held_still: nothing is free, and nobody has come.
held_still() {
    ! slot_free hw2 default 1 && still_waits c
}

hold bystander -g hw2
while read -r keeper_does leaves command; do
    case="the keeper $keeper_does, the command leaves ${leaves/#d/a d}, ends: $command"
    if [[ $leaves == daemon ]]; then leaver a -g hw2; else hold a -g hw2; fi
    keeper=$(keeper_of a)
    [[ $keeper ]] || die "'a' should have a keeper"
    queue c -g hw2
    case $keeper_does in
        dies) kill_keeper a ;;
        stops)
            kill -STOP "$keeper"
            soon '[[ $(field "$keeper" State) == T* ]]' || die "the keeper should have stopped"
            ;;
    esac
    still_waits c || die "'c' should wait ($case)"
    ${ends_by[$command]} a
    case $keeper_does-$leaves in
        dies-daemon)
            ok held_still "$case: held"
            end_daemon "$daemon" || die "the daemon should have ended"
            ok 'starts c' "... until the daemon ends"
            ;;
        stops-*)
            ok held_still "$case: held"
            kill -CONT "$keeper"
            ok 'starts c' "... until the keeper is continued"
            ;;
        *)
            ok 'starts c' "$case: freed"
            ;;
    esac
    end c
    soon 'slot_free hw2 default 1' || die "the slot should be free ($case)"
    end_daemons
done <<'END'
lives daemon exits
lives daemon killed
lives daemon group
dies nothing exits
dies nothing killed
dies nothing group
dies daemon exits
dies daemon killed
dies daemon group
stops nothing killed
stops daemon exits
stops daemon group
END
end bystander
is "$(most_at_once)" 2 "never more than two at once"

# --- all of it at random -----------------------------------------------------------------
# Each build takes as many places as slots, of which there are three: bytes of a
# file, under a lock of fcntl(2). That belongs to the process alone, not to what it
# leaves behind, and ends with it, before the slots can be free. Who finds no
# place is one too many.
cat >bin/build <<'END'
#!/usr/bin/perl
# build ID COUNT WAYS [FIFO]: takes COUNT places and goes on for a moment (with FIFO: until that says so). WAYS are
# words that say what it may do: leave a daemon, be killed, close its descriptors.
use Fcntl qw(F_SETLK F_WRLCK SEEK_SET);
my ($id, $count, $ways, $fifo) = @ARGV;
srand $$;
sub note {
    open my $file, '>>', 'places' or die "places: $!";
    syswrite $file, "$id @_\n";
}
sub maybe { return $ways =~ /$_[0]/ && rand 3 < 1 }
open my $oracle, '+>>', 'oracle' or die "oracle: $!";
my @places;
for my $place (1 .. 3) {
    last if @places == $count;
    push @places, $place if fcntl $oracle, F_SETLK, pack 's s x!8 q q l x!8', F_WRLCK, SEEK_SET, $place, 1, 0;
}
note(@places == $count ? "has @places" : "one too many: has @places of $count");
if (maybe('close')) {
    require POSIX;
    POSIX::close($_) for 100 .. 110;
}
system 'setsid sleep 0.' . int(1 + rand 3) . ' </dev/null >/dev/null 2>&1 &' if maybe('leave');
if (defined $fifo) {
    open my $go, '+<', $fifo or die "$fifo: $!";
    <$go>;
}
select undef, undef, undef, rand 0.02;
kill KILL => $$ if maybe('killed');
END
cat >bin/worker <<'END'
#!/usr/bin/perl
# worker NAME ROUNDS WAYS: one build after the other, with one slot or two.
my ($name, $rounds, $ways) = @ARGV;
srand $$;
for my $round (1 .. $rounds) {
    my $count = 1 + int rand 2;
    system $ENV{grouplock}, 'run', '-q', '-g', 'hw3', '-c', $count, '--', 'build', "$name.$round", $count, $ways;
    die "round $round: status $?\n" unless $? == 0 || $? == 9 && $ways =~ /killed/;
}
END
cat >bin/keeper-killer <<'END'
#!/usr/bin/perl
# keeper-killer DIRECTORY: kills every other keeper of slots in there that it sees, until the file `enough` is there.
my $directory = shift;
srand $$;
my ($kills, %spared) = 0;
until (-e 'enough') {
    for my $comm (glob '/proc/[0-9]*/comm') {
        open my $file, '<', $comm or next;
        my $name = <$file> // next;
        next unless $name eq "grouplock-keepe\n";
        my ($pid) = $comm =~ /(\d+)/;
        next if $spared{$pid} || !grep { index(readlink // '', "$directory/") == 0 } glob "/proc/$pid/fd/*";
        if (rand 2 < 1) { $spared{$pid} = 1 } else { $kills += kill KILL => $pid }
    }
    select undef, undef, undef, 0.002;
}
print "$kills\n";
END
chmod 755 bin/build bin/worker bin/keeper-killer

# The oracle itself: it does tell.
: >places
mkfifo all.go
spawn all build all 3 '' all.go
soon 'grep -q ^all places' || die "a build should have all places"
run build other 1 ''
echo go 1<>all.go
finish all
run build next 2 ''
is "$(<places)" 'all has 1 2 3
other one too many: has  of 1
next has 1 2' "three places: a fourth is one too many, until they are left"

# all_kept ROUNDS: eight workers did them all, nobody was one too many, and nothing is held.
all_kept() {
    is "$(grep -c '' places)" $((8 * $1)) "... all of $((8 * $1)) builds ran"
    is "$(grep 'too many' places)" '' "... none of them was one too many"
    ok 'grep -q "has.* 3" places' "... all slots were used"
    run "$grouplock" run -q -g hw3 -x -t "$patience" -- true
    is "$status" 0 "... all slots are free"
    ok 'soon no_keepers' "... no keeper is left"
}

# together ROUNDS WAYS: the workers' work; their complaints in $complaints.
together() {
    local i
    : >places
    complaints=''
    for i in {1..8}; do spawn "worker$i" worker "$i" "$@"; done
    for i in {1..8}; do
        finish "worker$i"
        complaints+=$err
    done
}

spawn killer keeper-killer "$here/locks"
together 8 'leave killed'
: >enough
finish killer
is "$complaints" '' "builds that leave daemons and are killed, and keepers that are killed"
ok '((out > 0))' "... some keepers were ($out)"
all_kept 8
together 8 'leave killed close'
is "$complaints" '' "builds that leave daemons, are killed, and close their descriptors"
all_kept 8

done_testing
