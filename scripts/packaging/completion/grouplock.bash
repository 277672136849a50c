# bash completion of grouplock(1)                                      -*- shell-script -*-
# shellcheck shell=bash

# The options of a command, "" for those before it; a colon behind one that takes an argument.
_grouplock_options() {
    local request='-w: --worker: -g: --group: -l: --lock: -c: --count: -x --exclusive -n --nonblock
        -t: --timeout: -E: --conflict-exit-code: --heartbeat: -q --quiet -v --verbose'

    printf '%s' '-f: --config: -d: --directory: -h --help '
    case $1 in
    '') echo '-V --version' ;;
    run) echo "$request -k --keep-until-closed" ;;
    claim) echo "$request --pid: --max: -J --json" ;;
    release) echo '-q --quiet' ;;
    status) echo '-g: --group: -l: --lock: -J --json --prometheus' ;;
    which) echo '-w: --worker: -l: --lock: -q --quiet -J --json --list:' ;;
    check) echo '--strict' ;;
    esac
}

# A word of options: sets expects to the one that waits for its argument, and notes an -f or -d that has it.
_grouplock_parse_option() {
    local word=$1 i letter options
    options=" $(_grouplock_options "$command") "

    if [[ $word == --* ]]; then
        [[ $options != *" $word: "* ]] || expects=$word
        return
    fi
    # Letters may stand together, up to one that takes an argument.
    for ((i = 1; i < ${#word}; i++)); do
        letter=${word:i:1}
        [[ $options == *" -$letter: "* ]] || continue
        if ((i + 1 == ${#word})); then
            expects=-$letter
        elif [[ $letter == [fd] ]]; then
            where+=("-$letter" "${word:i+1}")
        fi
        return
    done
}

# Reads the words before the cursor into the variables of _grouplock: which command it is, which option
# waits for its argument, where the operands begin, and which -f and -d were given.
_grouplock_parse() {
    local i word

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == = ]]; then
            # Bash makes three words of --worker=NAME. One without an option before it is part of LOCK=COUNT.
            [[ $expects ]] || ((i++))
        elif [[ $expects ]]; then
            [[ $expects != -[fd] && $expects != --config && $expects != --directory ]] ||
                where+=("$expects" "${word/#\~/$HOME}")
            expects=
        elif [[ $word == -- ]]; then
            operands=$((i + 1))
            return
        elif [[ $word == -?* ]]; then
            _grouplock_parse_option "$word"
        elif [[ $command ]]; then
            operands=$i
            return
        else
            command=$word
        fi
    done
}

# _grouplock_offer [NAME...]: those that begin with what stands at the cursor. Names have no case.
_grouplock_offer() {
    local name

    for name; do
        [[ ${name,,} != "${cur,,}"* ]] || COMPREPLY+=("$(printf '%q' "$name")")
    done
}

# The names in the config: workers, groups or locks.
_grouplock_list() {
    local names

    mapfile -t names < <("$program" "${where[@]}" which --list "$1" 2>/dev/null)
    _grouplock_offer "${names[@]}"
}

# The claims that are held.
_grouplock_claims() {
    local ids

    mapfile -t ids < <("$program" "${where[@]}" status 2>/dev/null |
        sed -n 's/^.* held .* claim \([0-9a-f]\{8\}\) (.*/\1/p')
    _grouplock_offer "${ids[@]}"
}

_grouplock_files() {
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_grouplock_argument() {
    case $expects in
    -f | --config) _grouplock_files -f ;;
    -d | --directory) _grouplock_files -d ;;
    -w | --worker) _grouplock_list workers ;;
    -g | --group) _grouplock_list groups ;;
    -l | --lock) _grouplock_list locks ;;
    --list) _grouplock_offer workers groups locks ;;
    esac
}

_grouplock_operand() {
    case $command in
    '') _grouplock_offer run claim release status which check ;;
    run)
        ((operands >= 0)) || operands=$COMP_CWORD
        if declare -F _command_offset >/dev/null; then
            _command_offset "$operands"
        elif ((COMP_CWORD == operands)); then
            mapfile -t COMPREPLY < <(compgen -c -- "$cur")
        else
            _grouplock_files -f
        fi
        ;;
    release) _grouplock_claims ;;
    esac
}

_grouplock() {
    local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\~/$HOME}
    local command='' expects='' operands=-1 where=() options

    COMPREPLY=()
    _grouplock_parse
    if [[ $expects ]]; then
        [[ $cur != = ]] || cur=
        _grouplock_argument
    elif ((operands < 0)) && [[ $cur == = || ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
        return # the count of a lock
    elif [[ $cur == -* ]] && ((operands < 0)); then
        read -rd '' -a options < <(_grouplock_options "$command")
        _grouplock_offer "${options[@]%:}"
    else
        _grouplock_operand
    fi
}

complete -F _grouplock grouplock
