#!/usr/bin/env bash
# Characters that turn text around or cannot be seen are shown as bytes wherever a stranger's words are
# shown to people: "evil<U+202E>txt.exe" must not look like another name.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END
# Overrides, embeddings, isolates and marks; what has no width; separators of lines; tags.
format='U+00AD U+061C U+180E U+200B U+200C U+200D U+200E U+200F U+2028 U+2029 U+202A U+202B U+202C U+202D U+202E
    U+2060 U+2066 U+2067 U+2068 U+2069 U+206F U+FEFF U+FFF9 U+FFFB U+E0001 U+E007F'
plain='U+00E4 U+20AC U+05D0 U+0627 U+4E2D U+1F512 U+2010 U+2027 U+202F U+2070 U+FFFD'
# shellcheck disable=SC2059 # the character
character() { printf "\\U$(printf %08x "0x${1#U+}")"; }
export LC_ALL=C.UTF-8
pattern=''
for code in $format; do pattern+=$(character "$code"); done
pattern="[$pattern]"
for code in $format; do
    name="a$(character "$code")b"
    hold a -g hw1 -w "$name"
    # shellcheck disable=SC2034 # the conditions use it
    bytes=$(printf %s "$(character "$code")" | od -An -tx1 | tr -d '\n' | sed 's/ /\\x/g')
    run "$grouplock" status -g hw1
    ok '[[ ! $out =~ $pattern && $out == *"a${bytes}b"* ]]' "status shows $code of a worker as bytes" || diag "$out"
    run "$grouplock" run -g hw1 -n -- true
    ok '[[ ! $err =~ $pattern && $err == *"a${bytes}b"* ]]' "... and a message does" || diag "$err"
    [[ $code == U+202E ]] || { end a; continue; }
    run "$grouplock" run -v -n -g hw1 -w "$name" -- true
    ok '[[ ! $err =~ $pattern ]]' "... and -v" || diag "$err"
    run "$grouplock" which -w "$name"
    ok '[[ ! $out$err =~ $pattern ]]' "... and which" || diag "$out"
    run "$grouplock" run -l "$name" -g hw1 -- true
    ok '[[ $status == 125 && ! $err =~ $pattern ]]' "... and an error" || diag "$err"
    run "$grouplock" check -f "$name"
    ok '[[ ! $out$err =~ $pattern ]]' "... and check" || diag "$out $err"
    end a
done
for code in $plain; do
    name="a$(character "$code")b"
    hold a -g hw1 -w "$name"
    run "$grouplock" status -g hw1
    ok '[[ $out == *"$name"* ]]' "$code is a letter or sign as any other" || diag "$out"
    end a
done
done_testing
