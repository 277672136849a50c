# shellcheck shell=bash
# What the tests of the completions share. Each function prints what a shell offers, a line each, for a
# command line that begins with `grouplock`; the last word is the one at the cursor.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2154 # root is set by lib.sh
completions=$root/scripts/packaging/completion
ln -s "$grouplock" bin/grouplock

# offers_bash WORD...: as readline calls it: a word that has an equals sign is three.
offers_bash() {
    bash --norc -c '
        . "$1"
        shift
        for word; do
            if [[ $word == *=* ]]; then
                COMP_WORDS+=("${word%%=*}" =)
                [[ $word == *= ]] || COMP_WORDS+=("${word#*=}")
            else
                COMP_WORDS+=("$word")
            fi
        done
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        compopt() { :; }
        _grouplock
        printf "%s\n" "${COMPREPLY[@]}"' bash "$completions/grouplock.bash" grouplock "$@" </dev/null
}

# offers_fish WORD...
offers_fish() {
    HOME=$dir XDG_CONFIG_HOME=$dir/fish fish -c '
        source $argv[1]
        complete -C "grouplock $argv[2]" | string replace -r "\t.*" ""' "$completions/grouplock.fish" "$*" </dev/null
}

# offers_zsh WORD...: a real zsh, with its line editor, on a terminal of its own.
offers_zsh() {
    mkdir -p zsh
    cp "$completions/grouplock.zsh" zsh/_grouplock
    cat >zsh/.zshrc <<'END'
fpath=($ZDOTDIR $fpath)
autoload -Uz compinit
compinit -u -d $ZDOTDIR/dump
PROMPT=
setopt no_beep no_list_beep
# What is offered goes to a file instead of the screen.
compadd() {
  local -a __offered
  builtin compadd "$@"
  [[ ${@[(I)-[ODA]]} -gt 0 ]] && return
  builtin compadd -O __offered "$@"
  print -rl -- $__offered >>$OFFERED
  return 0
}
list-all() {
  zle complete-word
  print done >$OFFERED.done
}
zle -C complete-word complete-word _main_complete
zle -N list-all
bindkey '^I' list-all
print ready >$OFFERED.ready
END
    rm -f offered*
    : >offered
    # shellcheck disable=SC2016 # for zsh
    ZDOTDIR=$dir/zsh OFFERED=$dir/offered TERM=dumb zsh -fc '
        zmodload zsh/zpty
        zpty shell zsh -i
        waits() {
            local -i tries=0
            local output
            until [[ -e $1 ]]; do
                ((tries++ < 3000)) || exit 1
                zpty -rt shell output
                zselect -t 1
            done
        }
        zmodload zsh/zselect
        waits $OFFERED.ready
        zpty -nw shell "$1"$'"'\\t'"'
        waits $OFFERED.done
        zpty -d shell' zsh "grouplock $*" </dev/null >/dev/null
    sort -u offered
}

# offers SHELL WORD...: sorted, in one line.
offers() {
    "offers_$1" "${@:2}" | grep . | sort -u | paste -sd ' '
}

# test_completion SHELL: what each of the three completes alike.
test_completion() {
    local shell=$1 id
    local all='check claim release run status which'

    printf '#!/bin/sh\n' >bin/zz-tool
    chmod 755 bin/zz-tool
    write_config <<'END'
[workers]
msvc11  = hw1
MSVC10  = hw1
linux-* = hw2
[slots]
*       = 1
hw10    = 2
[slots link]
END
    printf '[workers]\nmother = big\n' >other.ini

    is "$(offers "$shell" '')" "$all" "$shell: the commands"
    is "$(offers "$shell" -f other.ini '')" "$all" "... behind -f"
    is "$(offers "$shell" r)" 'release run' "... that begin alike"

    is "$(offers "$shell" run -w '')" 'msvc10 msvc11' "$shell: workers, but no patterns, for -w"
    is "$(offers "$shell" claim --worker ms)" 'msvc10 msvc11' "... for --worker, of claim too"
    is "$(offers "$shell" run --worker=msvc11 -g h)" 'hw1 hw10 hw2' "... groups for -g"
    is "$(offers "$shell" status -g '')" 'hw1 hw10 hw2' "... of status too"
    is "$(offers "$shell" run -l '')" 'default link' "... locks for -l"
    is "$(offers "$shell" run -x -l default -l l)" 'link' "... for the second one too"
    is "$(offers "$shell" which --list '')" 'groups locks workers' "... kinds for --list"
    is "$(offers "$shell" -f other.ini run -w '')" mother "$shell: names in the file that -f says"
    is "$(offers "$shell" -fother.ini run -w '')" mother "... written together"
    is "$(offers "$shell" run -f other.ini -w '')" mother "... behind the command"
    is "$(offers "$shell" -f missing.ini run -w '')" '' "... a file that is not there has none"
    is "$(offers "$shell" run -f ot)" other.ini "... a file's name for -f"
    like "$(offers "$shell" run -d l)" '^locks/?$' "... a directory's for -d"

    is "$(offers "$shell" run zz)" zz-tool "$shell: the command to run"
    is "$(offers "$shell" run -- zz)" zz-tool "... behind --"
    is "$(offers "$shell" run -x -w msvc10 -l link=1 -- zz)" zz-tool "... behind options"
    is "$(offers "$shell" run -x zz-tool oth)" other.ini "... and its arguments"
    unlike "$(offers "$shell" run zz-tool -)" exclusive "... whose options are not those of run"

    id=$("$grouplock" claim -w msvc11 --pid 0 --max 1h --json | jq -r .id)
    is "$(offers "$shell" release '')" "$id" "$shell: the claims for release"
    is "$(offers "$shell" release -q 01234567 "${id:0:3}")" "$id" "... for each operand"
    "$grouplock" release "$id"
    is "$(offers "$shell" release '')" '' "... none when there is none"
}

# needs_shell SHELL: scripts/setup installs it.
needs_shell() {
    command -v "$1" >/dev/null && return
    die "there is no $1; scripts/setup installs it"
}
