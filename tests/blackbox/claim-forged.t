#!/usr/bin/env bash
# release and forged records: anybody in the group can write into the file of a slot. Whatever
# that names, no process but the keeper of that very slot is sent a signal.
. "$(dirname "$0")/claim.sh"

write_config <<'END'
[slots]
* = 1
END
for group in hw1 hw2 hw3; do
    run "$grouplock" run -g $group -- true
    ((status == 0)) || die "a first run should make the directory"
done
victims=locks/hw2/default/slot.0

# start_time PID
start_time() {
    sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}

# forged PID [KEY=VALUE...]: a record of a claim whose keeper would be PID.
boot=$(cat /proc/sys/kernel/random/boot_id)
pidns=$(stat -Lc %i /proc/self/ns/pid)
secret=0123456789abcdef0123456789abcdef
whole_id=$(printf %s $secret | sha256sum | cut -c 1-32)
id=${whole_id:0:8}
forged() {
    local key pair
    local -A value=([state]='held    ' [kind]=claim [id]=$whole_id [worker]=w [host]=vm7 [boot]=$boot [pidns]=$pidns
        [pid]=$1 [start]=$(start_time "$1" 2>/dev/null) [since]=$(date +%s%N) [count]=1 [bound]=0 [until]=0 [sigqueue]=1 [command]=claim)
    shift
    for pair; do value[${pair%%=*}]=${pair#*=}; done
    echo 'grouplock 1'
    for key in state kind id worker host boot pidns pid start since count bound until sigqueue command; do
        printf '%s %s\n' "$key" "${value[$key]-}"
    done
    echo
}

# A victim notes each signal that it gets, all that can be caught. NAME.ready: it is ready;
# NAME.signals: what came. Its descriptor 3 is what it was started with.
cat >bin/victim <<'END'
#!/usr/bin/perl
# victim NAME [COMM]
my ($name, $comm) = @ARGV;
for my $signal (grep !/^(?:KILL|STOP|__.*|NUM.*)$/, keys %SIG, split ' ', 'HUP INT QUIT TERM USR1 USR2 ALRM PIPE IO PWR') {
    $SIG{$signal} = sub { open my $file, '>>', "$name.signals"; print $file "$signal\n" };
}
if (defined $comm) { open my $file, '>', '/proc/self/comm' or die "comm: $!"; print $file $comm }
open my $ready, '>', "$name.ready" or die "$name.ready: $!";
close $ready;
sleep 150 while 1;
END
chmod 755 bin/victim

# victim NAME [COMM [FILE]]: FILE is open in it.
victim() {
    rm -f "$1.ready"
    spawn "$1" sh -c 'exec 3<"$1"; shift; exec victim "$@"' sh "${3-/dev/null}" "$1" "${@:2:1}"
    soon "[[ -e $1.ready ]]" || die "'$1' should be ready"
}

# unharmed NAME WORDS: release of the forged claim, by its id and by the variable, fails, and
# process NAME has got no signal and lives.
unharmed() {
    local problem='' how
    for how in id variable; do
        if [[ $how == id ]]; then
            run "$grouplock" release "$id"
        else
            GROUPLOCK_HELD=${place#locks/}=$secret run "$grouplock" release
        fi
        ((status == 1)) || problem+=", status $status by $how"
        [[ $err == 'grouplock: '* && $lines == 1 ]] || problem+=", stderr: $err"
    done
    [[ ! -e $1.signals ]] || problem+=", signals: $(<"$1.signals")"
    ! dead "${pids[$1]}" || problem+=", dead"
    [[ -z $problem ]]
    verdict $? "$2" || diag "${problem#, }"
}

# --- processes that are no keeper of it ------------------------------------------------------
place=$victims
victim plain
forged "${pids[plain]}" >$place
unharmed plain "a record that names some process: it is not signalled"
victim named grouplock-keepe
is "$(<"/proc/${pids[named]}/comm")" grouplock-keepe "a process with the name of a keeper"
forged "${pids[named]}" >$place
unharmed named "... that has not the slot open is not signalled"
victim other grouplock-keepe locks/hw3/default/slot.0
forged "${pids[other]}" >$place
unharmed other "... nor one that has another slot open"
victim reader '' $place
forged "${pids[reader]}" >$place
unharmed reader "... nor a process that has the slot open, under another name"
for name in grouplock grouplock-keep grouplock-kee keepe GROUPLOCK-KEEPE ''; do
    victim almost "$name" $place
    forged "${pids[almost]}" >$place
    unharmed almost "... nor under the name '$name'"
    end_by almost KILL
done
forged $$ >$place
victim test
unharmed test "... nor the shell that release is called from"
forged 1 >$place
unharmed test "... nor process 1"
forged "${pids[plain]}" pid=0 >$place
run "$grouplock" release "$id"
is "$status:$lines" 0:1 "a record of process 0 is none, so there is no such claim"
for pid in -1 "-${pids[plain]}" 4294967296 x; do
    forged "${pids[plain]}" "pid=$pid" >$place
    run "$grouplock" release "$id"
    is "$status:$lines" 0:1 "... nor is one of process $pid"
done
ok '[[ ! -e plain.signals ]] && ! dead ${pids[plain]}' "... and no one is signalled"

# Over the slot of somebody who holds it: that goes on, too.
for how in run claim; do
    if [[ $how == run ]]; then
        hold holder -g hw2
    else
        run "$grouplock" claim -g hw2
        real=$(said_value CLAIM)
    fi
    cp $place good.record
    forged "${pids[plain]}" >$place
    unharmed plain "a forged record over that of a $how: its process is not signalled"
    is "$(held_slots)" "${place#locks/}" "... and the slot is held"
    if [[ $how == run ]]; then
        end holder
    else
        cp good.record $place
        run "$grouplock" release "$real"
        is "$status" 0 "... until its own id is back"
    fi
    ok 'all_free hw2 default 0' "... to its end"
done

# The keeper of another claim: it is one by its name, but not that of this slot.
run "$grouplock" claim -g hw1
real=$(said_value CLAIM)
forged "$(sed -n 's/^pid //p' locks/hw1/default/slot.0)" >$place
run "$grouplock" release "$id"
is "$status:$(held_slots)" 1:hw1/default/slot.0 "a record that names the keeper of another claim does not end that"
run "$grouplock" release "$real"
is "$status:$(held_slots)" 0: "... its own id does"
# The keeper of a command: it takes no signal, and release does not wait for it for ever.
hold holder -g hw2
forged "$(keeper_of holder)" >$place
run "$grouplock" release "$id"
is "$status:$lines:$(held_slots)" "1:1:${place#locks/}" "a record that names the keeper of a command does not end that"
end holder
ok 'all_free hw2 default 0' "... the command's end does"

# --- elsewhere, and over --------------------------------------------------------------------------
for key in boot=0c5d3f5e-0000-4000-8000-000000000000 pidns=1 boot= pidns=0 start=0; do
    forged "${pids[plain]}" "$key" >$place
    unharmed plain "a process of another host, boot or namespace ($key) is not signalled"
done
forged "${pids[plain]}" boot=0c5d3f5e-0000-4000-8000-000000000000 >$place
run "$grouplock" release "$id"
like "$err" "host 'vm7'" "... the host is named"
forged "${pids[plain]}" 'host=%1B%5B31m%0A' boot= >$place
run "$grouplock" release "$id"
is "$lines" 1 "... in one line"
unlike "$err" '[[:cntrl:]]' "... of text"
for key in start=5 'state=ended   ' 'state=expired ' 'state=released' state=x; do
    forged "${pids[plain]}" "$key" >$place
    run "$grouplock" release "$id"
    is "$status" 0 "a claim that is over by its record ($key) is released already"
done
ok '[[ ! -e plain.signals ]] && ! dead ${pids[plain]}' "... and no one is signalled"

# --- what is planted in the directory ---------------------------------------------------------------
forged "${pids[plain]}" >planted
rm $place
for what in symlink fifo directory socket hardlink; do
    case $what in
        symlink) ln -s ../../../planted $place ;;
        fifo) mkfifo $place ;;
        directory) mkdir $place ;;
        socket) perl -MSocket -e 'socket my $s, PF_UNIX, SOCK_STREAM, 0; bind $s, pack_sockaddr_un $ARGV[0] or die $!' $place ;;
        hardlink) ln planted $place ;;
    esac
    run "$grouplock" claim -g hw1
    real=$(said_value CLAIM)
    run timeout 60 "$grouplock" release "$id"
    is "$status" 1 "a $what instead of a slot holds up no release"
    is "$(grep -vc '^grouplock: ' run.err)" 0 "... and is told of by grouplock"
    run timeout 60 "$grouplock" release "$real"
    is "$(held_slots)" '' "... another claim beside it is released"
    GROUPLOCK_HELD=${place#locks/}=$secret run timeout 60 "$grouplock" release
    ok '((status < 2))' "... by the variable, too"
    rm -rf $place
done
: >locks/notadirectory
mkdir -p locks/%GG/default locks/hw1/..x 'locks/hw1/a b'
ln -s / locks/hw1/root
ln -s . locks/hw1/loop
run "$grouplock" claim -g hw1
real=$(said_value CLAIM)
run timeout 60 "$grouplock" release "$real"
is "$status:$err:$(held_slots)" 0:: "what grouplock never made is passed over"
run "$grouplock" release "$id"
is "$status:$lines" 1:1 "... but whether a claim is in there cannot be seen"
rm locks/hw1/root locks/hw1/loop
for junk in '' zeros random 'a megabyte of y'; do
    case $junk in
        '') : >$place ;;
        zeros) head -c 4096 /dev/zero >$place ;;
        random) head -c 1000000 /dev/urandom >$place ;;
        *) yes | head -c 1000000 >$place ;;
    esac
    run "$grouplock" release "$id"
    is "$status:$lines" 0:1 "a slot with ${junk:-nothing} in it has no claim"
done
ok '[[ ! -e plain.signals ]] && ! dead ${pids[plain]}' "no one was signalled"

done_testing
