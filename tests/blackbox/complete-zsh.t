#!/usr/bin/env bash
# The completion of zsh offers commands, names from the config, claims, and what the command to run wants.
. "$(dirname "$0")/complete.sh"

needs_shell zsh
test_completion zsh
done_testing
