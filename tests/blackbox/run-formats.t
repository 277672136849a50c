#!/usr/bin/env bash
# A command that is a program for another machine cannot be executed: 126, as of a shell, and no shell
# is asked to make sense of it. A script without a first line that names its shell is run by /bin/sh.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END
# Programs for a machine that nobody has (VAX, 75), and beginnings of what others execute.
cp /bin/true foreign
printf '\x4b\x00' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
printf 'MZ\x90\x00\x03\x00\x00\x00PE' >windows
printf '\xcf\xfa\xed\xfe\x07\x00\x00\x01\x03\x00\x00\x00' >mac
printf '\x7fELF\x02\x01\x01\x00' >short
head -c 200 /bin/true >"cut"
for file in foreign windows mac short cut; do
    chmod 755 $file
    cp $file bin/bin-$file
    for how in ./$file "$dir/$file" bin-$file; do
        run "$grouplock" run -g hw1 -- "$how" argument
        like "$status:$out:$lines:$err" "^126::1:grouplock: cannot run '$how': Exec format error\$" "$how is no command here"
    done
done
printf 'echo "script $*"\n' >bin/plain
printf '# \xc3\xa4\necho "script $*"\n' >bin/umlaut
printf '#!/bin/sh\necho "script $*"\n' >bin/shebang
printf '\n\necho "script $*"; exit 3\n#\0' >bin/late # what follows the first line is the shell's business
: >bin/empty
chmod 755 bin/*
for file in plain umlaut shebang; do
    for how in bin/$file "$dir/bin/$file" $file; do
        run "$grouplock" run -g hw1 -- "$how" a 'b c'
        is "$status:$out:$err" '0:script a b c:' "$how is a script"
    done
done
run "$grouplock" run -g hw1 -- late x
is "$status:$out" '3:script x' "a script with odd bytes further down"
run "$grouplock" run -g hw1 -- empty
is "$status:$out:$err" 0:: "an empty file is an empty script"

# The search of PATH is as ever.
mkdir -p one two three
printf 'echo one\n' >one/found
printf 'echo two\n' >two/found
chmod 755 two/found
chmod 644 one/found
printf 'echo here\n' >here
chmod 755 here
PATH=$dir/one:$dir/two:$PATH run "$grouplock" run -g hw1 -- found
is "$status:$out:$err" 0:two: "what may not be executed is passed over"
PATH=$dir/one run "$grouplock" run -g hw1 -- found
like "$status:$err" "^126:grouplock: cannot run 'found': Permission denied\$" "... and is the reason if there is no other"
PATH=$dir/nowhere:$dir/here:$dir/three run "$grouplock" run -g hw1 -- found
like "$status:$err" "^127:grouplock: cannot run 'found': " "nothing of that name"
PATH=:$dir/one run "$grouplock" run -g hw1 -- here
is "$status:$out:$err" 0:here: "an empty part of PATH is the working directory"
PATH=$dir/one: run "$grouplock" run -g hw1 -- here
is "$status:$out:$err" 0:here: "... at its end, too"
run env -u PATH "$grouplock" run -g hw1 -- sh -c 'echo ran'
is "$status:$out:$err" 0:ran: "without PATH"
PATH=$dir/one run "$grouplock" run -g hw1 -- "$dir/two/found"
is "$status:$out:$err" 0:two: "a path is not looked for"
run "$grouplock" run -g hw1 -- ''
like "$status:$err" "^127:grouplock: cannot run '': " "an empty name"
run "$grouplock" run -g hw1 -- ./one
like "$status:$err" "^126:grouplock: cannot run './one': Permission denied\$" "a directory"
done_testing
