# fish completion of grouplock(1)

# What stands before the cursor: the command in $__grouplock_command, the -f and -d that were given in
# $__grouplock_where, and from which word on the operands are in $__grouplock_operands (0: not yet).
function __grouplock_parse
    set -g __grouplock_command
    set -g __grouplock_where
    set -g __grouplock_operands 0
    set -l words (commandline -opc)
    set -l i 2
    while test $i -le (count $words)
        set -l word $words[$i]
        switch $word
            case --
                set __grouplock_operands (math $i + 1)
                return
            case '--config=*' '--directory=*' '-f?*' '-d?*'
                set -a __grouplock_where $word
            case -f --config -d --directory
                set i (math $i + 1)
                set -q words[$i]; and set -a __grouplock_where $word $words[$i]
            case -w --worker -g --group -l --lock -c --count -t --timeout -E --conflict-exit-code \
                    --heartbeat --pid --max --list
                set i (math $i + 1)
            case '-*'
            case '*'
                if test -n "$__grouplock_command"
                    set __grouplock_operands $i
                    return
                end
                set __grouplock_command $word
        end
        set i (math $i + 1)
    end
end

# __grouplock_in [COMMAND...]: the cursor is behind one of them, or, without one, before any; and not yet
# behind the first operand.
function __grouplock_in
    __grouplock_parse
    test $__grouplock_operands -eq 0; or return 1
    if set -q argv[1]
        contains -- "$__grouplock_command" $argv
    else
        test -z "$__grouplock_command"
    end
end

# The names in the config: workers, groups or locks.
function __grouplock_list
    __grouplock_parse
    grouplock $__grouplock_where which --list $argv[1] 2>/dev/null
end

# The claims that are held.
function __grouplock_claims
    __grouplock_parse
    grouplock $__grouplock_where status 2>/dev/null |
        string replace -rf '^.* held .* claim ([0-9a-f]{8}) \((.*)\)(.*)' '$1\t$2$3'
end

# What the command that `run` runs completes to.
function __grouplock_rest
    __grouplock_parse
    set -l words (commandline -opc)
    set -l rest
    if test $__grouplock_operands -gt 0
        set rest $words[$__grouplock_operands..]
    else if string match -q -- '-*' (commandline -ct)
        return
    end
    set -l line (string join ' ' -- (string escape -- $rest) (commandline -ct))
    complete -C "$line"
end

function __grouplock_in_run
    __grouplock_parse
    test "$__grouplock_command" = run
end

function __grouplock_in_release
    __grouplock_parse
    test "$__grouplock_command" = release
end

complete -c grouplock -f
complete -c grouplock -n __grouplock_in -a run -d 'wait for a slot, then run a command that holds it'
complete -c grouplock -n __grouplock_in -a claim -d 'wait for a slot, then hold it for the calling shell'
complete -c grouplock -n __grouplock_in -a release -d 'end claims'
complete -c grouplock -n __grouplock_in -a status -d 'show what is held and who waits'
complete -c grouplock -n __grouplock_in -a which -d 'show the group and the limits of a worker'
complete -c grouplock -n __grouplock_in -a check -d 'check the config file and the directory'

set -l all '__grouplock_in; or __grouplock_in run claim release status which check'
complete -c grouplock -n $all -s f -l config -rF -d 'the config file'
complete -c grouplock -n $all -s d -l directory -xa '(__fish_complete_directories)' -d 'the directory of the slots'
complete -c grouplock -n $all -s h -l help -d 'show help and exit'
complete -c grouplock -n __grouplock_in -s V -l version -d 'show the version and exit'

set -l request '__grouplock_in run claim'
complete -c grouplock -n '__grouplock_in run claim which' -s w -l worker -xa '(__grouplock_list workers)' -d 'the worker'
complete -c grouplock -n '__grouplock_in run claim status' -s g -l group -xa '(__grouplock_list groups)' -d 'the group'
complete -c grouplock -n '__grouplock_in run claim status which' -s l -l lock -xa '(__grouplock_list locks)' -d 'the lock'
complete -c grouplock -n $request -s c -l count -x -d 'take N slots'
complete -c grouplock -n $request -s x -l exclusive -d 'take all slots'
complete -c grouplock -n $request -s n -l nonblock -d 'do not wait'
complete -c grouplock -n $request -s t -l timeout -x -d 'wait no longer than this'
complete -c grouplock -n $request -s E -l conflict-exit-code -x -d 'exit with this instead of 75'
complete -c grouplock -n $request -l heartbeat -x -d 'report this often while waiting'
complete -c grouplock -n '__grouplock_in run claim release which' -s q -l quiet -d 'print less'
complete -c grouplock -n $request -s v -l verbose -d 'print how group, limit and directory were found'
complete -c grouplock -n '__grouplock_in run' -s k -l keep-until-closed -d 'hold until the last process that inherited the slot ends'
complete -c grouplock -n '__grouplock_in claim' -l pid -xa '(__fish_complete_pids)' -d 'hold until this process ends'
complete -c grouplock -n '__grouplock_in claim' -l max -x -d 'hold no longer than this'
complete -c grouplock -n '__grouplock_in claim status which' -s J -l json -d 'print JSON'
complete -c grouplock -n '__grouplock_in status' -l prometheus -d 'print metrics for Prometheus'
complete -c grouplock -n '__grouplock_in which' -l list -xa 'workers groups locks' -d 'print the names in the config'
complete -c grouplock -n '__grouplock_in check' -l strict -d 'exit with 1 for warnings too'

complete -c grouplock -n __grouplock_in_run -a '(__grouplock_rest)'
complete -c grouplock -n __grouplock_in_release -a '(__grouplock_claims)'
