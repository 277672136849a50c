#!/usr/bin/env bash
# run: from the worker's name to the group and its slots, as groups.ini says.
. "$(dirname "$0")/lib.sh"

# maps WORKER GROUP NAME
maps() {
    run "$grouplock" run -w "$1" -- printenv GROUPLOCK_GROUP
    is "$status:$out:$err" "0:$2:" "$3"
}

# capacity NUMBER NAME RUN-OPTION...: so many hold at once and no more.
capacity() {
    local number=$1 name=$2 i got=0
    shift 2
    for ((i = 0; i <= number; i++)); do
        start "c$i" -n "$@"
        soon "held c$i || ! kill -0 ${pids[c$i]} 2>/dev/null"
        held "c$i" || break
        ((++got))
    done
    for ((i = 0; i < got; i++)); do end "c$i"; done
    if ((got <= number)); then finish "c$got"; else status=0; fi
    is "$got:$status" "$number:75" "$name"
}

# config <<END: begins again, with another config.
config() {
    write_config
    fresh_locks
}

# --- workers ------------------------------------------------------------------
config <<'END'
[workers]
*         = rest          ; last resort, wherever it stands
linux-*   = pattern-1
linux-a   = exact
linux-[bc]* = pattern-2
mac-?     = one-character
*-vm      = pattern-3
MSVC10    = Hw1
msvc11    = hW1
END
maps linux-a exact "an exact name wins over an earlier pattern"
maps linux-b pattern-1 "the first pattern in file order wins"
maps linux-x-vm pattern-1 "... over a later one too"
maps win-vm pattern-3 "a pattern that begins with *"
maps mac-1 one-character "? is one character"
maps mac-12 rest "... and not two"
maps whatever rest "a lone * comes last"
maps msvc10 hw1 "names in the config are folded"
maps MsVc11 hw1 "names of workers are folded"
maps LINUX-A exact "a folded name is an exact one"
maps LINUX-Z pattern-1 "patterns match without case"

config <<'END'
[workers]
w1 = hw1
END
maps w1 hw1 "a listed worker"
maps w2 w2 "an unlisted worker is a group of its own"
maps W2 w2 "... whatever its case"
config <<<''
maps w2 w2 "an empty config: every worker is a group of its own"
config < <(printf '[workers]\r\nw1 = hw1 \r\n[slots]\r\nhw1 = 2\r\n')
maps w1 hw1 "a config with the line ends of Windows"
capacity 2 "... and its slots" -w w1
config <<<$'[grouplock]\nstrict = YES\n[workers]\nw1 = hw1\nvm-* = hw2'
maps w1 hw1 "strict: a listed worker"
maps vm-3 hw2 "strict: a worker that a pattern lists"
run "$grouplock" run -w w2 -- true
refused "strict: an unlisted worker is refused" w2
run "$grouplock" run -w w2 -g hw2 -- true
is "$status:$err" '0:' "strict: -g needs no map"
config <<<$'[grouplock]\nstrict = no'
maps w2 w2 "strict = no"

# --- slots --------------------------------------------------------------------
config <<'END'
[slots]
*     = 2
box-* = 3
box-1 = 1
HW1   = 4
three = a b c
comma = a,b, c,d
one   = only
last  = kit-a,
odd   = 4x,
closed = 0
[slots Link]
hw1   = 1
END
capacity 4 "a group by its name" -g hw1
capacity 4 "... whatever its case" -g Hw1
capacity 1 "an exact name wins over an earlier pattern" -g box-1
capacity 3 "a pattern" -g box-2
capacity 2 "* for every other group" -g other
capacity 3 "names count as slots" -g three
capacity 4 "names separated by commas" -g comma
capacity 1 "a single name" -g one
capacity 1 "a single name with a comma behind" -g last
capacity 1 "... which makes anything a name" -g odd
capacity 0 "0 closes a group" -g closed
capacity 1 "the slots of another lock" -g hw1 -l link
capacity 1 "a lock's name is folded" -g hw1 -l LINK
capacity 1 "a lock's default is 1" -g other -l link
ok '[[ -e locks/hw1/link/slot.0 ]]' "the lock's directory has the folded name"
run "$grouplock" run -g last -- printenv GROUPLOCK_SLOT
is "$out" kit-a "a named slot is told by its name"
config <<<$'[workers]\nw1 = hw1'
capacity 1 "without [slots] every group has one slot" -w w1
config <<<$'[slots]\nhw1 = Kit-A KIT-B'
run "$grouplock" run -g hw1 -c 2 -- printenv GROUPLOCK_SLOT
is "$out" 'Kit-A KIT-B' "a slot's name is told as it is written"
ok '[[ -e locks/hw1/default/slot.kit-a && -e locks/hw1/default/slot.kit-b ]]' "... and is folded for the file"
{
    printf '[slots]\nhw1 ='
    printf ' n%03d' {1..150}
    printf '\nhw2 = n1, \\\n n2 n3 \\\n n4\nhw3 = 1024\n'
} | config
run "$grouplock" run -g hw1 -c 150 -- printenv GROUPLOCK_SLOT
is "$status:$(wc -w <run.out)" 0:150 "150 names in a line"
run "$grouplock" run -g hw2 -c 4 -- printenv GROUPLOCK_SLOT
is "$out" 'n1 n2 n3 n4' "names in continued lines"
run "$grouplock" run -g hw3 -c 1024 -- printenv GROUPLOCK_SLOT
is "$status:$(wc -w <run.out)" 0:1024 "1,024 slots"

# --- names as file names ------------------------------------------------------
config <<<$'[workers]\nw1 = the group\n[slots my+lock]\n* = 1'
run "$grouplock" run -w w1 -l 'my+lock' -- printenv GROUPLOCK_GROUP
is "$status:$out" '0:the group' "blanks and others in names"
ok '[[ -e locks/the%20group/my%2Block/slot.0 ]]' "... are encoded in the file's name"
run "$grouplock" run -g .hidden -- true
ok '[[ $status == 0 && -e locks/%2Ehidden/default ]]' "a leading dot is %2E"
run "$grouplock" run -g 'a%b~c.d_e-f' -- true
ok '[[ $status == 0 && -e locks/a%25b%7Ec.d_e-f/default ]]' "what else is encoded and what not"
run "$grouplock" run -g $'\xc3\xa9\xff' -- true
ok '[[ $status == 0 && -e locks/%C3%A9%FF/default ]]' "bytes beyond ASCII"
name=$(printf 'x%0254d' 0)
run "$grouplock" run -g "$name" -- true
ok '[[ $status == 0 && -e locks/$name/default ]]' "a name of 255 characters"
run "$grouplock" run -g "${name}x" -- true
refused "... and one of 256"

# --- the example --------------------------------------------------------------
mkdir example
for worker in msvc10 linux-1 anything; do
    run "$grouplock" run -f "$root/groups.ini.example" -d example -w $worker -- echo ran
    is "$status:$out:$err" '0:ran:' "groups.ini.example, worker $worker"
done

done_testing
