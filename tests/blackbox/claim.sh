# shellcheck shell=bash
# What the tests of claim and release share, on top of keeper.sh: builds, which are
# shells that do what a test tells them, one order after the other.
#
#     build b dash                    b waits for orders
#     claim_in b -g hw1               b evals what claim prints, and holds slot 0 of hw1
#     does b 'echo $GROUPLOCK_SLOT'   $status, $out and $err say how that went
#     tell b 'exit 3'                 does not wait for it
#     finish b
# shellcheck disable=SC2034 # much is for the tests only
. "$(dirname "${BASH_SOURCE[0]}")/keeper.sh"

# Claims that are bound to no process, or to one that lives on, end with the test.
end_claims() {
    local pid
    for pid in $(keepers); do kill -KILL "$pid"; done
} 2>/dev/null
trap 'end_claims; end_daemons; cleanup' EXIT

shells=(dash bash)

cat >bin/build <<'END'
# build ID: does each line that comes through ID.do, in this shell; ID.said and
# ID.warned have what the last one printed, ID.answer its status.
build_id=$PWD/$1
exec 9<>"$build_id.do"
: >"$build_id.answer"
while IFS= read -r build_order <&9; do
    eval "$build_order" >"$build_id.said" 2>"$build_id.warned" 9<&-
    echo $? >"$build_id.new"
    mv "$build_id.new" "$build_id.answer"
done
END

# build NAME [SHELL]
build() {
    rm -f "$1".{do,answer}
    mkfifo "$1.do"
    spawn "$1" "${2:-dash}" bin/build "$1"
    soon "[[ -e $1.answer ]]" || die "'$1' should wait for orders"
}

# tell NAME ORDER: one line.
tell() {
    rm -f "$1.answer"
    printf '%s\n' "$2" 1<>"$1.do"
}

# answers NAME: its order is done, soon; $status, $out and $err are as finish sets them.
answers() {
    soon "[[ -e $1.answer ]]" || return 1
    status=$(<"$1.answer")
    out=$(<"$1.said")
    err=$(<"$1.warned")
    lines=$(wc -l <"$1.warned")
}

# does NAME ORDER: tell, and be sure that it answers.
does() {
    tell "$@"
    answers "$1" || die "'$1' should have done: $2"
}

# claiming OPTION...: the order that evals a claim.
claiming() {
    echo "eval \"\$(\"\$grouplock\" claim $*)\""
}

# claim_in NAME OPTION...: it claims, and be sure that it holds.
claim_in() {
    local name=$1
    shift
    does "$name" "$(claiming "$@")"
    ((status == 0)) || die "'$name' should have claimed ($*), but: $status, $err"
}

# claim_waits NAME: a claim that it has started is in the queue.
claim_waits() {
    local pid
    for pid in $(pgrep -P "${pids[$1]}"); do
        if queued_pid "$pid"; then return 0; fi
    done
    return 1
}

# queue_claim NAME OPTION...: it claims, and be sure that it waits.
queue_claim() {
    local name=$1
    shift
    tell "$name" "$(claiming "$@")"
    soon "claim_waits $name" || die "the claim of '$name' should have queued"
}

# daemons_of NAME: the build starts a daemon with a session of its own, and one that
# stays in its process group; their pids are in NAME.1.daemon and NAME.2.daemon.
daemons_of() {
    rm -f "$1".?.daemon
    does "$1" "setsid sh -c 'echo \$\$ >$1.1.daemon; exec sleep 150' </dev/null >/dev/null 2>&1 &"
    does "$1" "sh -c 'trap \"\" HUP TERM INT; echo \$\$ >$1.2.daemon; exec sleep 150' </dev/null >/dev/null 2>&1 &"
    soon "[[ -s $1.1.daemon && -s $1.2.daemon ]]" || die "'$1' should have started two daemons"
}

# said_value NAME: the value of GROUPLOCK_NAME in $out, which is what claim printed for a shell.
said_value() {
    (eval "$out" && declare -n value=GROUPLOCK_$1 && printf '%s\n' "${value-}")
}

# /proc/locks would tell sooner, but in a container not of a lock whose process is gone, as that of every claim is.
cat >bin/held-slots <<'END'
#!/usr/bin/perl
# held-slots DIRECTORY: the files of all slots in there that a process has locked.
my $directory = shift;
my %held;
for my $fd (glob '/proc/[0-9]*/fd/*') {
    my $file = readlink $fd;
    next unless defined $file && index($file, "$directory/") == 0 && $file =~ m{/slot\.[^/]*$};
    open my $info, '<', $fd =~ s{/fd/}{/fdinfo/}r or next;
    $held{substr $file, length "$directory/"} = 1 if grep { /^lock:.*FLOCK.*WRITE/ } <$info>;
}
print join(' ', sort keys %held), "\n";
END
chmod 755 bin/held-slots

# held_slots: the files of all slots that are locked, blank separated. Looks at /proc
# and so disturbs nobody.
held_slots() {
    held-slots "$here/locks"
}

# bound_pid KEEPER: the process that it watches.
bound_pid() {
    sed -n 's/^Pid:[[:space:]]*//p' "/proc/$1/fdinfo/"* 2>/dev/null
}

# bound NAME: the build 'b' holds slot 0 of hw1 by a keeper that watches its shell, and its
# steps pass. Releases it.
bound() {
    local place=locks/hw1/default/slot.0 held keeper watched passes
    held=$(held_slots)
    keeper=$(sed -n 's/^pid //p' $place 2>/dev/null)
    watched=$(bound_pid "$keeper")
    does b '"$grouplock" run -g hw1 -n -- true'
    passes=$status
    does b '"$grouplock" release -q; unset GROUPLOCK_HELD GROUPLOCK_CLAIM'
    [[ $held == hw1/default/slot.0 && $watched == "${pids[b]}" && $passes == 0 ]]
    verdict $? "$1" ||
        diag "held: '$held', watched: '$watched', the build: ${pids[b]}, status of a step: $passes"
    all_free hw1 default 0 || die "the slot should be free"
}

# odd_names: a config with a lock 'odd' of hw1 whose slots have all sorts of names, among
# them bytes that are no UTF-8, and locks whose names no variable can have.
odd_slots=("it's" '"q"' '$(touch${IFS}ran)' '$HOME' '`touch`' 'a\b' '*' '~' '?' '[a-z]' '{a..b}' '&' '|' '<x' '>ran' '(' ')'
    '!!' "'" "''" '$$' '%41' '%s' '-n' '--' 'ä' $'\xff\xfe' '$'"'"'\n'"'" "'\$(x)'" '^' '@' '+' 'a=b')
odd_names() {
    {
        printf '[slots]\n* = 1\n[slots odd]\nhw1 ='
        printf ' %s' "${odd_slots[@]}"
        printf '\n[slots my-lock.2]\n* = 2\n[slots gr\xc3\xb6\xc3\x9fe]\n* = 1\n'
    } | write_config
}
# shellcheck disable=SC1003 # a backslash is a backslash
odd_workers=("it's a worker" '$(touch ran)' '`touch ran`; touch ran' '"a" $HOME \' "a'; touch ran; echo '" "'" "''" '*' '~' '-n'
    '!!' 'ä €' $'\xff\xfe' '&& touch ran' $'a\\nb' '%s%n' ' leading' 'trailing ' "\$'\\x41'" 'a=b; export a')

# bad_claim NAME WORD...: the last claim, printed for a shell, failed with 125, said
# so in one line that has all the words, and nothing is held.
bad_claim() {
    if [[ $out == '(exit 125)' ]]; then out=''; else out="'$out', not '(exit 125)'"; fi
    refused "$@"
    is "$(held_slots)" '' "... and nothing is held"
}
