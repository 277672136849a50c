#!/usr/bin/env bash
# run: every bad input ends with 125 and one line that names what is wrong, and
# nothing is run, locked or created.
. "$(dirname "$0")/lib.sh"

good_config() {
    write_config <<'END'
[grouplock]
strict = no
[workers]
w1 = hw1
[slots]
* = 1
[slots link]
* = 1
[slots devkit]
hw1 = kit-a kit-b
[slots a-b]
[slots a.b]
END
}

shopt -s nullglob dotglob

# bad NAME WORDS [ARG...]: `grouplock ARG...` is refused, with all the words of
# WORDS (separated by |) in its message; without ARG, a plain run of worker w1.
bad() {
    local name=$1 words
    IFS='|' read -ra words <<<"$2"
    shift 2
    (($# > 0)) || set -- run -w w1 -- touch ran
    run "$grouplock" "$@"
    refused "$name" "${words[@]}" || diag "arguments: $*"
    local traces=(locks/* ran*)
    is "${traces[*]}" '' "... and nothing came of it" || {
        fresh_locks
        rm -f ran
    }
}

# bad_config NAME WORDS <<END: the same for a config; the message names the file.
bad_config() {
    write_config
    bad "$1" "groups.ini|$2"
}

# bad_run NAME WORDS RUN-OPTION...: the same for options of run.
bad_run() {
    bad "$1" "$2" run "${@:3}" -- touch ran
}

good_config
run "$grouplock" run -w w1 -- touch ran
is "$status:$err:$(ls ran locks)" $'0::ran\n\nlocks:\nhw1' "the config to begin with is good"
rm -f ran
fresh_locks

# --- the file -----------------------------------------------------------------
rm groups.ini
bad "no config file" "no config file|$dir/groups.ini"
bad_run "no config file, with -f" "no config file|nowhere.ini" -f nowhere.ini
mkdir groups.ini
bad "a directory for a config" "$dir/groups.ini|directory"
rmdir groups.ini
mkfifo groups.ini
bad "a FIFO for a config" "$dir/groups.ini|not a regular file"
rm groups.ini
ln -s groups.ini groups.ini
bad "a config that is a symlink to itself" "$dir/groups.ini"
rm groups.ini
if ((EUID == 0)); then
    good_config
    chmod 600 groups.ini
    chmod 777 locks .
    install -m 755 "$grouplock" bin/grouplock
    run setpriv --reuid 65534 --regid 65534 --clear-groups bin/grouplock run -w w1 -- touch ran
    chmod 700 locks
    chmod 711 .
else
    good_config
    chmod 000 groups.ini
    run "$grouplock" run -w w1 -- touch ran
fi
refused "a config that may not be read" "$dir/groups.ini" 'Permission denied'
is "$(find locks -mindepth 1; ls ran 2>/dev/null)" '' "... and nothing came of it"

bad_config "a line of more than 1,024 characters" '' < <(printf '[slots]\nhw1 = 1\n[workers]\n%01025d = hw1\n' 0)
bad_config "a comment of more than 1,024 characters" '' < <(printf '[slots]\nhw1 = 1 ; %01025d\n' 0)
bad_config "continued lines of more than 1,024 characters in all" '' < <(
    printf '[slots devkit]\nhw1 = '
    for i in {1..30}; do printf '%040d_ \\\n' "$i"; done
    printf 'end\n'
)
bad_config "a byte order mark" '' < <(printf '\xef\xbb\xbf[slots]\nhw1 = 1\n')
bad_config "a program for a config" '' < <(head -c 3000 /bin/sh)
bad_config "zero bytes for a config" '' < <(head -c 4096 /dev/zero)
bad_config "a zero byte in a value" '' < <(printf '[slots]\nhw1 = 1\0x\n')
bad_config "a line without =" '' <<<$'[slots]\nhw1 = 1\nnonsense'
bad_config "a section without ]" '' <<<$'[slots\nhw1 = 1'
bad_config "a key outside of any section" '' <<<$'hw1 = 1\n[slots]\nhw1 = 1'

# --- sections and keys --------------------------------------------------------
bad_config "an unknown section" 'worker' <<<$'[worker]\nw1 = hw1'
bad_config "an unknown section without keys" 'somewhere' <<<$'[somewhere]\n[slots]\nhw1 = 1'
bad_config "a section that only begins like a known one" 'slotsx' <<<$'[slotsx]\nhw1 = 1'
bad_config "an unknown key" 'grouplock|directry' <<<$'[grouplock]\ndirectry = /tmp'
bad_config "strict = maybe" 'grouplock|strict|maybe' <<<$'[grouplock]\nstrict = maybe'
bad_config "strict =" 'grouplock|strict' <<<$'[grouplock]\nstrict ='
bad_config "directory =" 'grouplock|directory' <<<$'[grouplock]\ndirectory ='
bad_config "an empty group" 'workers|w2' <<<$'[workers]\nw2 ='
bad_config "a group with a slash" 'workers|w2|a/b' <<<$'[workers]\nw2 = a/b'
bad_config "a group named .." 'workers|w2|..' <<<$'[workers]\nw2 = ..'
bad_config "a group of 300 characters" 'workers|w2' <<<$'[workers]\nw2 = '"$(printf '%0300d' 0)"
bad_config "a pattern that is none" 'workers|w[12' <<<$'[workers]\nw[12 = hw1'
bad_config "a lock with a slash" 'slots a/b' <<<$'[slots a/b]\nhw1 = 1'
bad_config "a section for the lock default, which is [slots]" 'slots default' <<<$'[slots default]\nhw1 = 1'
bad_config "a lock with a blank" 'slots a b' <<<$'[slots a b]\nhw1 = 1'

# --- counts -------------------------------------------------------------------
for count in 4x 010 -1 +1 '' 99999999999999 18446744073709551617 1025 1.5 0x4 00 '1 2' \
    'a 7' 'a a' 'kit-a Kit-A' 'a/b c' '. a'; do
    bad_config "'$count' slots" 'slots|hw1' <<<$'[slots]\nhw1 = '"$count"
done
bad_config "a bad count of another group" 'slots|hw9' <<<$'[slots]\nhw1 = 1\nhw9 = x1\nhw9 = 4x'
bad_config "a bad count for *" 'slots|*|4x' <<<$'[slots]\n* = 4x\nhw1 = 1'
bad_config "a bad count of another lock" 'slots link|hw1|4x' <<<$'[slots]\nhw1 = 1\n[slots link]\nhw1 = 4x'

# --- names --------------------------------------------------------------------
good_config
long=$(printf 'x%0299d' 0)
for option in -w -g; do
    bad_run "$option: an empty name" '' $option ''
    bad_run "$option: a slash" 'a/b' $option a/b
    bad_run "$option: ." "'.'" $option .
    bad_run "$option: .." "'..'" $option ..
    bad_run "$option: 300 characters" '' $option "$long"
    for char in $'\n' $'\t' $'\r' $'\e' $'\a' $'\x01' $'\x7f'; do
        bad_run "$option: a control character ($(printf '%q' "$char"))" '' $option "a${char}b"
    done
done
GROUPLOCK_WORKER=a/b bad "a bad GROUPLOCK_WORKER" 'a/b' run -- touch ran
GROUPLOCK_WORKER=$'a\nb' bad "a newline in GROUPLOCK_WORKER" '' run -- touch ran
# A blank takes three characters in a file's name.
bad_run "-g: too long as a file's name" '' -g "$(printf 'a %.0s' {1..100})"
bad_run "an unknown lock, with those there are" 'nope|default|link|devkit' -w w1 -l nope
bad_run "-l: an empty name" '' -w w1 -l ''
bad_run "-l: a slash" 'a/b' -w w1 -l a/b
bad_run "-l: a control character" '' -w w1 -l $'a\nb'
write_config <<<$'[grouplock]\nstrict = yes\n[workers]\nw1 = hw1'
bad_run "an unlisted worker under strict" 'stranger|strict' -w stranger
good_config

# --- options ------------------------------------------------------------------
for duration in abc '' -1 1x 1.2.3 nan '1 m' 1mm 0x10 ' 1' 1e400 99999999999999999999999999; do
    bad_run "-t '$duration'" "$duration" -w w1 -t "$duration"
done
bad_run "--heartbeat abc" abc -w w1 --heartbeat abc
bad_run "--heartbeat ''" '' -w w1 --heartbeat ''
for code in 300 256 -1 x '' 4294967296 1.5 0x1 +1; do
    bad_run "-E '$code'" "$code" -w w1 -n -E "$code"
done
for count in 0 x -1 '' +1 1.5 99999999999999999999; do
    bad_run "-c '$count'" "$count" -w w1 -c "$count"
    bad_run "-l default=$count" "$count" -w w1 -l "default=$count"
done
bad_run "-n with -t" '-t' -w w1 -n -t 1
bad_run "-c with -x" '-x' -w w1 -c 1 -x
bad_run "a lock named twice" "'link' is named twice" -w w1 -l link -l LINK=all
bad_run "two locks that would set one variable" 'a-b' -w w1 -l a-b -l a.b
bad_run "an unknown long option" 'no-such-option' -w w1 --no-such-option
bad_run "an unknown short option" 'Z' -w w1 -Z
bad "an option without its argument" 'w' run -w
bad "a long option without its argument" 'worker' run --worker
bad_run "an argument for an option that has none" 'nonblock' -w w1 --nonblock=yes
bad "no command" 'command' run
bad "no command after the options" 'command' run -w w1
bad "no command after --" 'command' run -w w1 --
run "$grouplock"
refused "no subcommand" "see 'grouplock --help'"
bad "an unknown subcommand" 'rnu' rnu -- touch ran
bad "an option of run before run" '' -w w1 run -- touch ran
bad "an unknown option before the subcommand" 'Z' -Z run -- touch ran

# A message stays one printable line whatever it quotes.
bad_run "escape sequences in an option's argument" '' -w w1 -t $'\e[31m\n1'
bad_run "a newline in a lock's name" '' -w w1 -l $'no\npe'
bad "a newline in a subcommand" '' $'r\nun'
bad "a newline in an unknown option" '' run $'--wor\nse' -- touch ran

done_testing
