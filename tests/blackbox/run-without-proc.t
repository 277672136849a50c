#!/usr/bin/env bash
# Without /proc, as in many a chroot, some things are tried in vain and done otherwise then: nobody is
# told of it.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
closed = 0
[slots link]
* = 1
END

namespace=(unshare --mount)
((EUID == 0)) || namespace+=(--user --map-root-user)
cat >bin/bare <<END
#!/bin/sh
# bare COMMAND...: where there is no /proc.
exec ${namespace[*]} sh -c 'mount -t tmpfs none /proc && exec "\$@"' bare "\$@"
END
chmod 755 bin/bare
if ! bare true 2>/dev/null || bare test -e /proc/self; then
    skip "no mount namespaces here"
    done_testing
fi


# The same with and without /proc: what is said under -q is an error, and there is none.
hold holder -g hw1
for where in env bare; do
    for what in run claim; do
        command=()
        [[ $what == claim ]] || command=(-- touch ran)
        for group in closed hw1; do
            for how in -n '-t 0' '-t 0.01'; do
                # shellcheck disable=SC2086 # an option and its argument
                run $where "$grouplock" $what $how -E 0 -q -g $group "${command[@]}"
                is "$status:$out:$err" 0:: "$where $what $how -E 0 -q, $group: not a word"
                # shellcheck disable=SC2086
                run $where "$grouplock" $what $how -q -g $group "${command[@]}"
                [[ $what == claim ]] && out=${out#(exit 75)}
                is "$status:$out:$err" 75:: "$where $what $how -q, $group: not a word"
            done
            # shellcheck disable=SC2086
            run $where "$grouplock" $what -n -g $group "${command[@]}"
            like "$status:$err" "^75:grouplock: $group is (closed|full)[^"$'\n'"]*\$" "$where $what -n, $group: one line"
        done
    done
done
end holder
ok '[[ ! -e ran ]]' "... and nothing ran"
run bare "$grouplock" run -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "a command runs without a word"
run bare "$grouplock" run -g hw1 -l link -l default -- "$grouplock" run -g hw1 -- echo ran
is "$status:$out:$err" 0:ran: "... and a nested one"

# What is wrong is said in one line.
run bare "$grouplock" run -q -g hw1 -l nosuch -- touch ran
refused "an error" "'nosuch'"
run bare "$grouplock" run -q -n -g hw1 -c 2 -- touch ran
refused "another error" "2 slots"
run bare "$grouplock" run -q -n -g hw1 -d "$dir/missing" -- touch ran
refused "and another" "'$dir/missing'"
run bare "$grouplock" run -q -n -g hw1 -- no-such-command
like "$status:$err" "^127:grouplock: cannot run 'no-such-command': [^"$'\n'"]*\$" "a command that is not there"

done_testing
