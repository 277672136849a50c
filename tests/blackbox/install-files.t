#!/usr/bin/env bash
# make install puts everything where it belongs, and make uninstall leaves nothing of it.
. "$(dirname "$0")/lib.sh"

# A make that knows nothing of the one that may have started this test. The program is the one that is tested, so
# that nothing is built here.
makes() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PREFIX="$prefix" SYSCONFDIR="$sysconfdir" \
        LOCALSTATEDIR="$localstatedir" DESTDIR="$dir/dest" "$root/scripts/packaging/install" "$1" "${program:-$grouplock}"
}
prefix=/opt/gl sysconfdir=/opt/etc localstatedir=/opt/var
installed() { (cd dest && find . -type f -printf '%m %P\n' | sort -k2); }

mkdir dest
umask 077
run makes install
umask 022
is "$status:$out$err" 0: "install"
is "$(installed)" "755 opt/gl/bin/grouplock
644 opt/gl/lib/sysusers.d/grouplock.conf
644 opt/gl/lib/tmpfiles.d/grouplock.conf
644 opt/gl/share/bash-completion/completions/grouplock
644 opt/gl/share/doc/grouplock/CHANGELOG.md
644 opt/gl/share/doc/grouplock/LICENSE
644 opt/gl/share/doc/grouplock/README.md
644 opt/gl/share/doc/grouplock/groups.ini.example
644 opt/gl/share/fish/vendor_completions.d/grouplock.fish
644 opt/gl/share/man/man1/grouplock.1
644 opt/gl/share/man/man5/groups.ini.5
644 opt/gl/share/zsh/site-functions/_grouplock" "... what there is, readable for all, whatever the umask"
is "$(find dest -type d ! -perm 755)" '' "... directories too"
ok 'cmp -s "$grouplock" dest/opt/gl/bin/grouplock' "... the program as it is"

# What says where things are is right for this prefix.
is "$(grep -rnE '(^|[^a-z])/(etc|var/lib)/grouplock|/usr/local/share' dest --exclude=grouplock)" '' \
    "no text names a place that is another's"
like "$(<dest/opt/gl/share/man/man1/grouplock.1)" 'Pa /opt/etc/grouplock/groups\.ini' "... but the config's"
like "$(<dest/opt/gl/share/man/man5/groups.ini.5)" 'Pa /opt/gl/share/doc/grouplock/groups\.ini\.example' "... the example's"
like "$(<dest/opt/gl/lib/tmpfiles.d/grouplock.conf)" $'\nd "/opt/var/lib/grouplock" :2770 :root :grouplock - -' "... and the directory's"
ok 'mandoc -Tlint -Wwarning dest/opt/gl/share/man/man?/*' "... and the pages are sound"
ok '"$grouplock" check -f dest/opt/gl/share/doc/grouplock/groups.ini.example | grep -q "has no errors"' "the example has no errors"

# The fragments do what they are for.
if command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null; then
    mkdir -p image/etc image/var/lib
    printf 'root:x:0:0::/root:/bin/sh\n' >image/etc/passwd
    printf 'root:x:0:\n' >image/etc/group
    run systemd-sysusers --root="$dir/image" "$dir/dest/opt/gl/lib/sysusers.d/grouplock.conf"
    ok 'grep -q "^grouplock:" image/etc/group' "sysusers.d: makes the group" || diag "$err"
    if ((EUID == 0)); then
        gid=$(sed -n 's/^grouplock:[^:]*:\([0-9]*\):.*/\1/p' image/etc/group)
        run systemd-tmpfiles --create --root="$dir/image" "$dir/dest/opt/gl/lib/tmpfiles.d/grouplock.conf"
        is "$(stat -c '%a %u:%g' image/opt/var/lib/grouplock)" "2770 0:$gid" "tmpfiles.d: makes the directory" || diag "$err"
        chmod 2775 image/opt/var/lib/grouplock
        run systemd-tmpfiles --create --root="$dir/image" "$dir/dest/opt/gl/lib/tmpfiles.d/grouplock.conf"
        is "$(stat -c %a image/opt/var/lib/grouplock)" 2775 "... and leaves one that an administrator changed"
    else
        skip "tmpfiles.d: only root can give a directory to a group"
    fi
else
    skip "no systemd here, to try its fragments"
fi

# A second prefix beside it, then both are gone.
touch dest/opt/gl/share/doc/grouplock/of-somebody-else
prefix=/usr run makes install
ok '[[ -x dest/usr/bin/grouplock && -x dest/opt/gl/bin/grouplock ]]' "a second one, elsewhere"
run makes uninstall
is "$status:$out$err" 0: "uninstall"
is "$(installed | grep -v ' usr/')" '644 opt/gl/share/doc/grouplock/of-somebody-else' "... leaves nothing, but what is not ours"
prefix=/usr run makes uninstall
is "$(installed | grep ' usr/')" '' "... nothing of the second one"
is "$(find dest/usr -name '*grouplock*')" '' "... and no directory of its own"
run makes uninstall
is "$status:$out$err" 0: "... and again, where there is nothing"

# Blanks, and what sed takes for its own.
prefix='/opt/g, l' sysconfdir='/my & etc' localstatedir='/my \var'
cp "$grouplock" "a program"
program=$dir/"a program"
run makes install
is "$status:$out$err" 0: "a prefix with blanks, and a program in a directory that has some"
like "$(<"dest$prefix/share/man/man1/grouplock.1")" 'Pa /my & etc/grouplock/groups\.ini' "... the manual page names the config"
ok 'grep -qxF "directory = /my \var/lib/grouplock" "dest$prefix/share/doc/grouplock/groups.ini.example"' "... the example the directory"
localstatedir='/my var'
run makes install
if ((EUID == 0)) && [[ -d image ]]; then
    run systemd-tmpfiles --create --root="$dir/image" "$dir/dest$prefix/lib/tmpfiles.d/grouplock.conf"
    is "$status:$(stat -c '%a' 'image/my var/lib/grouplock')" 0:2770 "... tmpfiles.d makes it" || diag "$err"
fi
run makes uninstall
is "$status:$(find "dest$prefix" ! -type d)" 0: "... and nothing stays of it"

# The Makefile hands its paths on.
run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$root" -n install uninstall PREFIX=/opt/gl SYSCONFDIR=/opt/etc LOCALSTATEDIR=/opt/var
like "$out" 'scripts/packaging/install install build/grouplock.*scripts/packaging/install uninstall build/grouplock' "make install and make uninstall do that"
done_testing
