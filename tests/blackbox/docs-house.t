#!/usr/bin/env bash
# scripts/house finds what breaks the order of src/, each rule in a small tree of its own.
. "$(dirname "$0")/lib.sh"

# One in order: a file of cli calls one of lock, which calls one of base.
mkdir -p {,build/}src/{base,lock,keep,cli} tests
echo 'int one(int);' >src/base/one.h
echo 'int two(int);' >src/lock/two.h
printf '#include "base/one.h"\nint one(int n)\n{\n\treturn n;\n}\n' >src/base/one.c
printf '#include "lock/two.h"\n\n#include "base/one.h"\n\nint two(int n)\n{\n\treturn one(n);\n}\n' >src/lock/two.c
printf '#include "lock/two.h"\n\nint main(void)\n{\n\treturn two(0);\n}\n' >src/cli/main.c
printf 'The module `one`, and `two` and `main`.\n' | tee src/{base,lock,keep,cli}/README.md >/dev/null
printf 'all:\n' >Makefile
for file in src/*/*.c; do
    cc -Isrc -c -o "build/${file%c}o" "$file"
done
mkdir order
mv src build tests Makefile order

# tree: that one again.
tree() {
    rm -rf src build tests Makefile
    cp -R order/. .
}

# lines COUNT: a body so long.
lines() {
    yes '	n++;' | head -n "$1"
}

# finds NAME LINE...: it prints these and nothing else.
finds() {
    local file

    for file in src/*/*.c; do
        cmp -s "$file" "order/$file" || cc -Isrc -c -o "build/${file%c}o" "$file"
    done
    run "$root/scripts/house"
    is "$out" "$(printf '%s\n' "${@:2}")" "$1"
    is "$status:$err" "$(($# > 1)):" "... with this status"
}

tree
finds "a tree in order"

sed -i '1i #include "lock/two.h"' src/base/one.c
sed -i '2s/.*/#include "one.h"/' src/base/one.c
cp src/base/one.h src/one.h
echo '#include "lock/two.h"' >src/keep/two.h
echo '#include "keep/two.h"' >src/lock/main.h
finds "includes against the arrows, without a room, and of a room beside" "src/base/one.c:1: base includes lock/two.h" \
    "src/base/one.c:2: base includes one.h" "src/lock/main.h:1: lock includes keep/two.h"

tree
printf '#pragma once\n#include "base/two.h"\n' >src/base/one.h
printf '#pragma once\n#include "base/one.h"\nint one(int);\n' >src/base/two.h
echo 'one, `two`, `one()` and `ones`' >src/base/README.md
rm src/cli/README.md
{ printf 'static int\nlong_one(int n)\n{\n'; lines 57; printf '}\n'; } >tests/long.c
lines 121 >Makefile
finds "a circle of headers, modules that no README names, a long function, a long Makefile" \
    "src/base/one.h:2: includes src/base/two.h in a circle of 2" "src/base/two.h:2: includes src/base/one.h in a circle of 2" \
    'src/base/README.md: does not name `one`' 'src/cli/README.md: does not name `main`' \
    "tests/long.c:1: a function of 61 lines" "Makefile:121: more than 120 lines"

tree
printf 'int two(int);\nint one(int n)\n{\n\treturn n ? two(n - 1) : 0;\n}\n' >src/base/one.c
finds "files that call each other" "src/base/one.c: uses src/lock/two.c (two) in a circle of 2" \
    "src/lock/two.c: uses src/base/one.c (one) in a circle of 2"
printf 'int main(void);\nint one(int n)\n{\n\treturn n ? main() : 0;\n}\n' >src/base/one.c
finds "... by way of others" "src/base/one.c: uses src/cli/main.c (main) in a circle of 3" \
    "src/cli/main.c: uses src/lock/two.c (two) in a circle of 3" "src/lock/two.c: uses src/base/one.c (one) in a circle of 3"

tree
{ printf 'static int\nlong_one(int n)\n{\n'; lines 56; printf '}\n'; } >tests/long.c
lines 120 >Makefile
{ printf 'int one(int n)\n{\n'; lines 30; printf '\treturn n;\n}\n'; } >src/base/one.c
finds "nothing wrong with 60 lines of a function, 120 of the Makefile, and 34 of one of three functions"
sed -i '3{p}' src/base/one.c
finds "... but with 35 of it" "src: only 2 of 3 functions have fewer than 35 lines"

done_testing
