#!/usr/bin/env bash
# What scripts/setup installs, by package lists that are made up: what is missing, once, and the better of two.
# shellcheck disable=SC2016 # what others expand
. "$(dirname "$0")/lib.sh"

setup=$root/scripts/setup
mkdir tools
for tool in sh cat env grep sed tr; do ln -s "$(command -v "$tool")" tools; done
cat >bin/dpkg-query <<'END'
#!/bin/sh
grep -qx -- "$4" installed && echo installed
END
cat >bin/apt-cache <<'END'
#!/bin/sh
if grep -qx -- "$2" known; then echo "  Candidate: 1"; else echo "  Candidate: (none)"; fi
END
cat >bin/apt-get <<'END'
#!/bin/sh
echo "$*" | sed 's/^-q -o [^ ]* //' >>calls
END
printf '#!/bin/sh\ncat user\n' >bin/id
chmod 755 bin/*
echo 0 >user

# sets_up GROUP...: $status, $out and $err as run has them, and in $calls what was asked of apt-get.
sets_up() {
    : >calls
    run env PATH="$dir/bin:$dir/tools" "$setup" "$@"
    calls=$(<calls)
}

printf '%s\n' mandoc shellcheck clang-format-14 clang-format clang-tidy-14 clang-tidy cppcheck >known
cp known installed
sets_up --lint
is "$status:$out$err:$calls" 0:: "nothing is missing: nothing is asked of apt-get"
: >installed
sets_up --lint
is "$status:$err:$calls" "0::update
install -y --no-install-recommends mandoc shellcheck clang-format-14 clang-tidy-14 cppcheck" "all is missing: the better of two each"
printf '%s\n' mandoc shellcheck clang-format cppcheck >known
sets_up --lint
is "$status:$err:${calls##*recommends }" "0::mandoc shellcheck clang-format clang-tidy-14 cppcheck" \
    "... the other one, where only that is known"
printf '%s\n' mandoc clang-format clang-tidy-14 cppcheck >installed
sets_up --lint
is "$status:$err:${calls##*recommends }" 0::shellcheck "what is installed is not asked for, nor is it if the other is"
echo 1000 >user
: >installed
sets_up --lint
is "$status:$calls:$err" "1::scripts/setup: not root and no sudo here; as root: apt-get install mandoc shellcheck clang-format clang-tidy-14 cppcheck" \
    "who may not install is told what to"
sets_up --lnit
is "$status:$calls:$out" 2:: "a group that there is not"
like "$err" '^usage: ' "... shows the usage"
done_testing
