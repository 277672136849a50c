#!/usr/bin/env bash
# Every example of the manual pages is run, as it stands there. One that has no test here fails, and so does a
# test whose example is gone.
. "$(dirname "$0")/docs.sh"

# --- the examples -----------------------------------------------------------------------------------------------

# examples_of PAGE: writes each of them, without roff, to PAGE.NUMBER, and what stands before it to PAGE.NUMBER.why.
examples_of() {
    PAGE=${1##*/} perl -e '
        my ($in, $block, $number, $text, $why) = (0, 0, 0, "", "");
        sub finish {
            my $file = sprintf "%s.%02d", $ENV{PAGE}, ++$number;
            for (["$file", $text], ["$file.why", $why]) {
                open my $out, ">", $_->[0] or die;
                print $out $_->[1];
            }
            ($text, $why) = ("", "");
        }
        while (<>) {
            if (/^\.Sh (.*)/) { $in = $1 eq "EXAMPLES"; next }
            next unless $in;
            if (/^\.Bd/) { $block = 1 }
            elsif (/^\.Ed/) { $block = 0; finish }
            elsif ($block) { s/\\e/\\/g; s/\\&//g; $text .= $_ }
            elsif (/^\.Dl (.*)/) { $text = "$1\n"; finish }
            elsif (!/^\.Pp/) { $why .= $_ }
        }' "$1"
}

examples_of "$root/man/grouplock.1"
examples_of "$root/man/groups.ini.5"
of_command=(grouplock.1.??)
of_file=(groups.ini.5.??)
ok '((${#of_command[@]} >= 12 && ${#of_file[@]} >= 4))' "there are examples: ${#of_command[@]} and ${#of_file[@]}"
ok '! grep -E "^\.[A-Z]|\\\\[&e]" "${of_command[@]}" "${of_file[@]}"' "... with nothing left of their markup"

declare -A tested=()

# example PAGE REGEX: $example becomes the file of the one that matches, which counts as tested.
example() {
    local found

    mapfile -t found < <(grep -lzP -- "$2" "$1".??)
    ((${#found[@]} == 1)) || die "$1 should have one example like '$2': ${found[*]}"
    example=${found[0]}
    # shellcheck disable=SC2034 # an ok at the end uses it
    tested[$example]=1
}

# does REGEX [WORD...]: runs that example of grouplock(1), as a script with the arguments.
does() {
    local regex=$1
    shift
    example grouplock.1 "$regex"
    run "${interpreter:-sh}" "./$example" "$@"
}

# --- the machines they are for ----------------------------------------------------------------------------------

write_config <<'END'
[workers]
msvc10  = hw1
msvc11  = hw1
linux-* = hw2
[slots]
hw1     = 1
[slots link]
[slots devkit]
*       = 0
hw2     = kit-a kit-b kit-c
END
cat >bin/make <<'END'
#!/bin/sh
# make, of which it is told with what it was called and what it had.
echo "make $*: $GROUPLOCK_GROUP $GROUPLOCK_SLOT" >>made
exit "${MAKE_FAILS:-0}"
END
printf '#!/bin/sh\necho "scp $*" >>made\n' >bin/scp
printf '#!/bin/sh\necho configure >>made\n' >configure
chmod 755 bin/make bin/scp configure

# made: what the last example has done.
made() {
    [[ ! -e made ]] || paste -sd ';' made
    rm -f made
}

# --- grouplock(1) -----------------------------------------------------------------------------------------------

does '\Agrouplock run -w msvc10 -- make -j8\n\z'
is "$status:$err:$(made)" '0::make -j8: hw1 0' "a slot of a worker's machine during a build"
does '\Agrouplock run make'
is "$status:$err:$(made)" "0::make -j8: $(uname -n | tr '[:upper:]' '[:lower:]') 0" "... a worker that is named like the host"

does '-t 10m'
is "$status:$out:$(made)" '0::make -j8: hw1 0' "ten minutes at most: there is a slot"
MAKE_FAILS=3 does '-t 10m'
is "$status:$out" 3: "... the build fails"
made >/dev/null
hold holder -w msvc11
sed 's/-t 10m/-t 0.1/' "$example" >hasty
run sh hasty
is "$status:$out:$(made)" '75:the machine is full, try again later:' "... there is none (after a tenth of a second)"

GROUPLOCK_WORKER=msvc10 does '-n -E 0 -q'
is "$status:$out:$err:$(made)" '0:::' "for cron: the machine is busy, and nothing is said"
end holder
GROUPLOCK_WORKER=msvc10 does '-n -E 0 -q'
is "$status:$out:$err:$(made)" '0:::make nightly: hw1 0' "... it is not"

does '-x -- make bench'
is "$status:$(made)" '0:make bench: hw1 0' "the machine for oneself"

does '-l devkit=2 -l link'
is "$status:$(made)" '0:make KIT=kit-a flash: hw2 kit-a kit-b;make KIT=kit-b flash: hw2 kit-a kit-b' "two boards and a lock"

does '#!/bin/sh(?s:.*)claim'
is "$status:$err:$(made)" '0::configure;make -j8: hw1 0;scp app.tar.gz archive:' "a script that claims" ||
    diag "$(cat "$example")"
ok 'all_free hw1 default 0' "... and has released"
is "$(head -n 1 "$example")" '#!/bin/sh' "... is a script"

NODE=msvc10 does 'claim.json'
is "$status:$err:$(made)" '0::make -j8:  ' "three steps, here in one shell"
ok 'all_free hw1 default 0' "... the last one releases"
NODE=msvc10 run sh -c "$(sed -n 1p "$example")"
ok '! slot_free hw1 default 0' "... the first one alone, and its shell has ended: the claim lasts"
run sh -c "$(sed -n 3p "$example")"
ok 'all_free hw1 default 0' "... until the third one"

hold holder -w msvc10
queue waiter -w msvc11
does 'status -g hw1'
like "$status:$out" '^0:GROUP .*hw1 +default +0 held +msvc10 .*1st waiting msvc11' "who holds, and who waits"
end holder
end waiter

does '\Agrouplock which -w linux-7\n'
like "$status:$out" "^0:worker +linux-7 .*pattern 'linux-" "how group and limit were found"

does 'which -q'
is "$status:$out" $'0:kit-a\nkit-b\nkit-c' "for each board"

mkdir -p etc/grouplock
example grouplock.1 'check --strict'
sed "s,/etc/,$dir/etc/," "$example" >checked
cp groups.ini groups.ini.new
printf '[grouplock]\n' >etc/grouplock/groups.ini
# Under /tmp, where this test is, a directory for slots has a warning.
namespace=(-m)
((EUID == 0)) || namespace=(-rm)
where='mount -t tmpfs slots /mnt && mkdir -m 700 /mnt/slots && GROUPLOCK_DIR=/mnt/slots sh checked'
run unshare "${namespace[@]}" sh -c "$where"
is "$status:$(cmp groups.ini etc/grouplock/groups.ini 2>&1)" 0: "a new file is checked and put in place (here not of /etc)" || diag "$out"
printf '[solts]\n' >groups.ini.new
run unshare "${namespace[@]}" sh -c "$where"
is "$status:$(cmp groups.ini etc/grouplock/groups.ini 2>&1)" 1: "... but not one with an error"

# --- groups.ini(5) ----------------------------------------------------------------------------------------------

# limits WORKER...: GROUP=LIMIT of each by groups.ini, for the lock of $lock.
limits() {
    local worker

    for worker; do
        "$grouplock" which -q -w "$worker" -l "${lock:-default}" |
            sed -n 's/^GROUP=//p; s/^LIMIT_[^=]*=//p' | paste -sd =
    done | paste -sd ' '
}

# sound NAME: groups.ini, which an example has become, has neither errors nor warnings.
sound() {
    run "$grouplock" check
    like "$out" "^ok: config file '$dir/groups.ini'" "$1"
}

example groups.ini.5 '\A\[slots\]\n\z'
cp "$example" groups.ini
sound "groups.ini(5): the shortest"
is "$(limits any other)" 'any=1 other=1' "... every worker is a machine with one slot"

example groups.ini.5 '\[grouplock\]'
cp "$example" two-machines.ini
sed "s,/srv/grouplock,$dir/locks," two-machines.ini >groups.ini
sound "two machines"
is "$(limits msvc10 msvc11 linux-1 linux-arm linux-release win-release)" 'hw1=2 hw1=2 hw2=4 arm=1 hw2=4 release=1' \
    "... which are as the comments say"
run "$grouplock" which -w stray
is "$status" 1 "... strict"

example groups.ini.5 '\[slots link\]'
cat "$example" >>groups.ini
is "$(lock="link" limits msvc10 linux-1)" 'hw1=1 hw2=2' "one links at a time, two on hw2"
example groups.ini.5 '\[slots devkit\]'
cat "$example" >>groups.ini
is "$(lock="devkit" limits msvc10 linux-1)" 'hw1=0 hw2=3' "three boards on hw2, none elsewhere"
run "$grouplock" run -w linux-1 -l devkit=all -- sh -c 'echo "$GROUPLOCK_SLOT"'
is "$out" 'kit-a kit-b kit-c' "... by their names"

for example in "${of_command[@]}" "${of_file[@]}"; do
    ok '[[ ${tested[$example]:-} ]]' "$example has been run" || diag "$(cat "$example.why" "$example")"
done
done_testing
