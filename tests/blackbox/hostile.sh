# shellcheck shell=bash
# What the tests of hostile neighbours share: two users in the build group 54321, and one outside.
# shellcheck source=tests/blackbox/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ((EUID != 0)); then
    skip "only root can be several users"
    done_testing
fi
# shellcheck disable=SC2034 # the tests use it
place=locks/hw1/default
install -m 755 "$grouplock" bin/grouplock
chmod 755 .

# member 1|2 COMMAND...: as a user of the build group. outsider COMMAND...: as one who is not.
cat >bin/member <<'EOF'
#!/bin/sh
user=1234$1
shift
exec setpriv --reuid "$user" --regid "$user" --groups 54321 -- "$@"
EOF
cat >bin/outsider <<'EOF'
#!/bin/sh
exec setpriv --reuid 12349 --regid 12349 --clear-groups -- "$@"
EOF
chmod 755 bin bin/member bin/outsider

# fresh_group: begins again, with directories that are a member's.
fresh_group() {
    fresh_locks 2770
    chgrp 54321 locks
    run member 1 grouplock run -g hw1 -- true
    ((status == 0)) || die "a member should make the directories: $err"
    rm $place/gate $place/slot.0
}
