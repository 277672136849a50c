#!/usr/bin/env bash
# The version stands in one place, the Makefile, and everything that has one has it from there.
. "$(dirname "$0")/lib.sh"

version=$(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$root" version)
like "$version" '^[0-9]+\.[0-9]+\.[0-9]+$' "make version"
run "$grouplock" --version
is "$status:$out" "0:grouplock $version" "--version"
run "$grouplock" -V
is "$status:$out" "0:grouplock $version" "-V"

# The changelog of the project is a text and may name it.
mapfile -t files < <(cd "$root" && find Makefile README.md ARCHITECTURE.md CONTRIBUTING.md man src scripts .ci -type f)
ok '((${#files[@]} > 100))' "there are ${#files[@]} files to look through"
is "$(cd "$root" && grep -lF -- "$version" "${files[@]}")" Makefile "no file but the Makefile names it"
is "$(grep -cF -- "$version" "$root/Makefile")" 1 "... and that once"
like "$(<"$root/CHANGELOG.md")" "${version//./\\.}" "the changelog knows it"
ok '[[ ! -e $root/scripts/packaging/debian/changelog ]]' "the package's changelog is made when the package is"
done_testing
