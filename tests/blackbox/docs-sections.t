#!/usr/bin/env bash
# The manual pages have all sections, and in them all variables, statuses, files and file systems that the
# program knows.
. "$(dirname "$0")/lib.sh"

# section PAGE NAME: its lines, markup and all.
section() {
    sed -n "/^\.Sh $2\$/,/^\.Sh /p" "$root/man/$1" | sed '1d; /^\.Sh /d'
}

# has PAGE SECTION WORD... : it has all these words.
has() {
    local text word missing=''
    text=$(section "$1" "$2")

    for word in "${@:3}"; do
        grep -Eqiw -- "${word//./\\.}" <<<"$text" || missing+=" $word"
    done
    is "$missing" '' "$1: $2 has all of ${*:3}"
}

for name in NAME SYNOPSIS DESCRIPTION ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES INTERNALS ASSUMPTIONS SECURITY \
    'WHAT EXCLUDES AND WHAT DOES NOT' 'SEE ALSO'; do
    ok '(($(section grouplock.1 "$name" | wc -l) >= 1))' "grouplock(1) has a section $name"
done
# mandoc(1) refuses EXIT STATUS in section 5: there is none of a file.
for name in NAME DESCRIPTION ENVIRONMENT FILES EXAMPLES DIAGNOSTICS INTERNALS ASSUMPTIONS SECURITY 'SEE ALSO'; do
    ok '(($(section groups.ini.5 "$name" | wc -l) >= 1))' "groups.ini(5) has a section $name"
done
ok 'mandoc -Tlint -Wwarning "$root"/man/*.[1-9]' "mandoc finds nothing wrong with them"
for page in grouplock.1 groups.ini.5; do
    sed -n 's/^\.Sx \(.*[^ .,;]\)[ .,;]*$/\1/p' "$root/man/$page" | sort -u >references
    sed -n 's/^\.S[hs] //p' "$root/man/$page" | sort >sections
    is "$(grep -vxFf sections references)" '' "$page: every section it refers to is there"
done

# --- what the source knows --------------------------------------------------------------------------------------
mapfile -t variables < <(grep -rhoE '"(GROUPLOCK_[A-Z]+|NO_COLOR|TERM)(_%s)?"' "$root/src" | tr -d '"' | sort -u |
    grep -v -e GROUPLOCK_VERSION -e %s)
ok '((${#variables[@]} >= 9))' "the source has ${#variables[@]} variables"
has grouplock.1 ENVIRONMENT "${variables[@]}" PATH 'GROUPLOCK_SLOT_'
has groups.ini.5 ENVIRONMENT GROUPLOCK_CONFIG GROUPLOCK_DIR GROUPLOCK_WORKER
is "$(section grouplock.1 ENVIRONMENT | grep -oE 'GROUPLOCK_[A-Z]+' | sort -u | grep -vxFf <(printf '%s\n' "${variables[@]}") |
    grep -v SLOT_)" '' "... and ENVIRONMENT has no other"

mapfile -t statuses < <(sed -nE 's/^#define (COMMAND_[A-Z_]+|LAUNCH_[CN][A-Z_]+) +([0-9]+).*/\2/p' \
    "$root/src/cli/command.h" "$root/src/keep/launch.h")
is "${statuses[*]}" '125 75 126 127' "the source has these exit statuses"
has grouplock.1 'EXIT STATUS' "${statuses[@]}" 1 0 claim release status which check
has grouplock.1 FILES /etc/grouplock/groups.ini /var/lib/grouplock gate ticket slot
has groups.ini.5 FILES /etc/grouplock/groups.ini groups.ini.example

# @(ext[234]|xfs) is ext2, ext3, ext4 and xfs; the names of FUSE file systems are known without the prefix.
mapfile -t types < <(sed -n 's/^\t{"\([^"]*\)".*/\1/p' "$root/src/check/fslocks.c" | grep -v ^/ |
    perl -ne 's/@\(\|\.\*\)//; for (split /[@()|\s]+/) { s/\*$//; s/^fuse\.//; s/^(vmhgfs|ceph).*/$1/;
        print map { "$_\n" } /(.*)\[(\d+)\]/ ? map { "$1$_" } split(//, $2) : length ? $_ : () }' | sort -u)
ok '((${#types[@]} >= 40))' "the source knows ${#types[@]} file systems"
has grouplock.1 'WHAT EXCLUDES AND WHAT DOES NOT' "${types[@]}" /tmp /var/tmp /dev/shm
mapfile -t mount_options < <(sed -n '/^static const struct fslocks_note rules/,/^};/s/^\t{"[^"]*", "\([a-z_=]*\)", .*/\1/p' "$root/src/check/fslocks.c" |
    sort -u)
ok '((${#mount_options[@]} >= 7))' "... and ${#mount_options[@]} mount options"
has grouplock.1 'WHAT EXCLUDES AND WHAT DOES NOT' "${mount_options[@]}"

mapfile -t keys < <(sed -n 's/.*unknown key; there are \([a-z]*\) and \([a-z]*\)".*/\1\n\2/p' "$root/src/config/config.c")
has groups.ini.5 SECTIONS "${keys[@]}" workers slots LOCK

done_testing
