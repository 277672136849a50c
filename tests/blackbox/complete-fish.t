#!/usr/bin/env bash
# The completion of fish offers commands, names from the config, claims, and what the command to run wants.
. "$(dirname "$0")/complete.sh"

needs_shell fish
test_completion fish
done_testing
