#!/usr/bin/env bash
# The completion of bash offers commands, names from the config, claims, and what the command to run wants.
. "$(dirname "$0")/complete.sh"

needs_shell bash
test_completion bash
is "$(offers bash run --worker=ms)" 'msvc10 msvc11' "bash: behind an equals sign"
is "$(offers bash run -l link=)$(offers bash run -l link=z)" '' "... but nothing for a lock's count"

# With bash-completion loaded it is that which completes the command to run.
loaded=$(bash --norc -c '
    _command_offset() { echo "from word $1"; }
    . "$1"
    COMP_WORDS=(grouplock run -x zz-tool "") COMP_CWORD=4
    _grouplock' bash "$completions/grouplock.bash")
is "$loaded" 'from word 3' "bash: leaves the command to bash-completion"
done_testing
