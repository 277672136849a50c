#compdef grouplock
# zsh completion of grouplock(1)

# _grouplock_call TAG ARGUMENT...: what grouplock prints, with the -f and -d that stand behind the command, too.
_grouplock_call() {
  local option tag=$1

  shift
  for option in -f --config -d --directory; do
    [[ -z $opt_args[$option] ]] || where+=($option ${(Q)opt_args[$option]})
  done
  _call_program $tag ${(q)program} ${(q)where} "$@"
}

# The names in the config: workers, groups or locks, which the last argument says. Those before it are for compadd.
_grouplock_list() {
  local -a names
  local kind=$argv[-1]

  argv[-1]=()
  names=(${(f)"$(_grouplock_call $kind which --list $kind)"})
  compadd "$@" -M 'm:{A-Z}={a-z}' -a names
}

# The claims that are held.
_grouplock_claims() {
  local -a ids

  ids=(${(f)"$(_grouplock_call claims status |
    sed -n 's/^.* held .* claim \([0-9a-f]\{8\}\) (.*/\1/p')"})
  compadd "$@" -a ids
}

_grouplock() {
  local context curcontext=$curcontext state line ret=1 program=${(Q)words[1]}
  local -a where common request verbs
  local -A opt_args
  local -i i

  common=(
    '(-f --config)'{-f+,--config=}'[the config file]:config file:_files'
    '(-d --directory)'{-d+,--directory=}'[the directory of the slots]:directory:_directories'
    '(-h --help)'{-h,--help}'[show help and exit]'
  )
  request=(
    '(-w --worker)'{-w+,--worker=}'[the worker]:worker:_grouplock_list workers'
    '(-g --group)'{-g+,--group=}'[the group, instead of that of the worker]:group:_grouplock_list groups'
    '*'{-l+,--lock=}'[the lock, with =COUNT or =all]:lock:_grouplock_list locks'
    '(-c --count -x --exclusive)'{-c+,--count=}'[take N slots]:count:'
    '(-x --exclusive -c --count)'{-x,--exclusive}'[take all slots]'
    '(-n --nonblock -t --timeout)'{-n,--nonblock}'[do not wait]'
    '(-t --timeout -n --nonblock)'{-t+,--timeout=}'[wait no longer than this]:duration:'
    '(-E --conflict-exit-code)'{-E+,--conflict-exit-code=}'[exit with this instead of 75]:status:'
    '--heartbeat=[report this often while waiting]:duration:'
    '(-q --quiet)'{-q,--quiet}'[print nothing about waiting]'
    '(-v --verbose)'{-v,--verbose}'[print how group, limit and directory were found]'
  )
  verbs=(
    'run:wait for a slot, then run a command that holds it'
    'claim:wait for a slot, then hold it for the calling shell'
    'release:end claims'
    'status:show what is held and who waits'
    'which:show the group and the limits of a worker'
    'check:check the config file and the directory'
  )

  # Behind the command only its own options count.
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
    -f | -d | --config | --directory) where+=($words[i] ${(Q)words[i + 1]}); ((i++)) ;;
    -f* | -d* | --config=* | --directory=*) where+=(${(Q)words[i]}) ;;
    -*) ;;
    *) break ;;
    esac
  done
  if ((i < CURRENT)); then
    words=("${(@)words[i,-1]}")
    ((CURRENT -= i - 1))
    _grouplock_arguments
    return
  fi

  _arguments -s $common '(-V --version)'{-V,--version}'[show the version and exit]' '1:command:->command' && ret=0
  if [[ $state == command ]]; then
    _describe -t commands command verbs && ret=0
  fi
  return ret
}

_grouplock_arguments() {
  case $words[1] in
  run)
    _arguments -s -S -A '-*' $common $request \
      '(-k --keep-until-closed)'{-k,--keep-until-closed}'[hold until the last process that inherited the slot ends]' \
      '(-)1:command: _command_names -e' '*::arguments: _normal'
    ;;
  claim)
    _arguments -s $common $request '--pid=[hold until this process ends]:process:_pids' \
      '--max=[hold no longer than this]:duration:' '(-J --json)'{-J,--json}'[print a JSON object]'
    ;;
  release)
    _arguments -s -A '-*' $common '(-q --quiet)'{-q,--quiet}'[do not report that a claim had already ended]' \
      '*:claim:_grouplock_claims'
    ;;
  status)
    _arguments -s $common '*'{-g+,--group=}'[only this group]:group:_grouplock_list groups' \
      '*'{-l+,--lock=}'[only this lock]:lock:_grouplock_list locks' \
      '(-J --json --prometheus)'{-J,--json}'[print one JSON document]' \
      '(--prometheus -J --json)--prometheus[print metrics for Prometheus]'
    ;;
  which)
    _arguments -s $common '(-w --worker)'{-w+,--worker=}'[the worker]:worker:_grouplock_list workers' \
      '*'{-l+,--lock=}'[only this lock]:lock:_grouplock_list locks' \
      '(-q --quiet -J --json)'{-q,--quiet}'[print only shell assignments]' \
      '(-J --json -q --quiet)'{-J,--json}'[print one JSON document]' \
      '--list=[print the names in the config]:kind:(workers groups locks)'
    ;;
  check)
    _arguments -s $common '--strict[exit with 1 for warnings too]'
    ;;
  *)
    _message 'unknown command'
    ;;
  esac
}

_grouplock "$@"
