#!/usr/bin/env bash
# -t: who gives up after N seconds says so, and not that it was less.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
[slots link]
* = 1
END
# A line that tells of N seconds or more, which a busy machine may make of it.
hold a -g hw1
hold b -g hw1 -l link
for t in 1 2; do
    spawn first "$grouplock" run -g hw1 -t $t -- touch ran
    spawn second "$grouplock" run -g hw1 -t $t -- touch ran
    spawn both "$grouplock" run -g hw1 -l link -t $t -- touch ran
    spawn claim "$grouplock" claim -g hw1 -t $t --pid $$
    for name in first second both claim; do
        finish $name
        after=$(sed -nE 's/^grouplock: .*: gave up after ([0-9]+m)?([0-9]+)s; held by .*/\1\2/p' $name.err)
        is "$status" 75 "-t $t ($name) gives up"
        ok '[[ $after == *m* ]] || ((${after:-0} >= t))' "... and says after how long: ${after:-nothing}"
    done
done
end b
end a
ok '[[ ! -e ran ]]' "nothing ran"
done_testing
