#!/usr/bin/env bash
# status: a record is a stranger's words. They show escaped, and break nothing.
. "$(dirname "$0")/status-records.sh"

written <good
shows "a good record" 'held msvc10 vm7 [0-9]+ AGE make' 'waiting msvc10 vm7 [0-9]+ AGE make'
written < <(cat good; head -c 1000000 /dev/urandom)
shows "a megabyte behind a record" 'held msvc10 vm7 [0-9]+ AGE make' 'waiting msvc10 vm7 [0-9]+ AGE make'
written < <(record 'worker=a%1B%5B31mb' 'host=c%0Ad' 'command=e%0D%07%1B%5D0;f%0Ahw1 default 7 held%7F%09g')
shows "escape sequences in a record" 'held a\\x1b\[31mb c\\x0ad [0-9]+ AGE e\\x0d\\x07\\x1b\]0;f\\x0ahw1 default 7 held\\x7f\\x09g' \
    'waiting a\\x1b.*'
is "$(jq -r '.locks[0].slots[0].worker' <<<"$json")" $'a\e[31mb' "... the JSON has them as they are"
is "$(jq -c '.locks[0].slots | length' <<<"$json")" 1 "... and a line end makes no row"
written < <(record 'command=a%C2%9B31mb%9Bc%C3%A4')
shows "control characters beyond ASCII" 'held msvc10 vm7 [0-9]+ AGE a\\xc2\\x9b31mb\\x9bcä' 'waiting .*'
written < <(record "command=$(printf '%%41%.0s' {1..1100})")
shows "a command of 1,100 characters" "held msvc10 vm7 [0-9]+ AGE A{1023}" 'waiting .*A'
written < <(record 'command=a%FFb%C3%A4%C3' 'worker=%80')
is "$(jq -r '.locks[0].slots[0] | .worker, .command' <<<"$json" | paste -sd ,)" $'\xef\xbf\xbd,a\xef\xbf\xbdbä\xef\xbf\xbd' \
    "bytes that are no UTF-8 become U+FFFD in JSON"
ok 'iconv -f UTF-8 -t UTF-8 <<<"$json" >/dev/null' "... which is UTF-8 then"
written < <(record worker= host= command=)
shows "empty values" 'held unknown - [0-9]+ AGE -' 'waiting unknown - [0-9]+ AGE -'
written < <(record since=x count=-1)
shows "numbers that are none" 'held msvc10 vm7 [0-9]+ - make' 'waiting msvc10 vm7 [0-9]+ - make'
is "$(jq -c '.locks[0].slots[0] | [.since, .age, .count]' <<<"$json")" '[null,null,null]' "... are null in JSON"
written < <(record since=9223372036854775807)
shows "a holder of the far future" 'held msvc10 vm7 [0-9]+ 0s make' 'waiting msvc10 vm7 [0-9]+ 0s make'
is "$(jq -c '.locks[0].slots[0] | [.since, .age]' <<<"$json")" '["2262-04-11T23:47:16.854Z",0]' "... as JSON"
written < <(record since=1)
like "$slot" '^held msvc10 vm7 [0-9]+ [0-9]+d[0-9]+h make$' "a holder since 1970"
written < <(record kind=lease state=eaten colour=blue)
shows "words of a later version" 'held msvc10 vm7 [0-9]+ AGE make' 'waiting msvc10 vm7 [0-9]+ AGE make'

# --- whose process is whose ---------------------------------------------------
# No process has this pid here; what it means elsewhere is not known here.
for key in boot=0c5d3f5e-0000-4000-8000-000000000000 pidns=1 boot= pidns=0 start=0; do
    written < <(record pid=2147483647 start=5 "$key")
    like "$slot" '^held msvc10 vm7 2147483647 [0-9dhms]+ make$' "a process of another boot or namespace is not looked up ($key)"
done
written < <(record pid=2147483647)
like "$slot" '^leaked msvc10 vm7 2147483647 [0-9dhms]+ held by pid [0-9]+ \(flock .*\).*; left by make$' "one of this namespace is"
written < <(record start=5)
like "$slot" '^leaked ' "a pid that has been given out again is another process's"

done_testing
