#!/usr/bin/env bash
# Containers of one machine that have the directory bind-mounted, with mounts, pids and host names
# of their own, are one group; with a private layer instead, they are not, and check tells.
# shellcheck disable=SC2016 # what containers run
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
hw2 = 2
END

namespaces=(unshare --mount --pid --fork --uts)
((EUID == 0)) || namespaces+=(--user --map-root-user)
if ! "${namespaces[@]}" true 2>/dev/null; then
    skip "no namespaces here"
    done_testing
fi

# container HOSTNAME LAYER COMMAND...: COMMAND in a container with the directory as its /mnt;
# LAYER is `shared` (what `docker run -v DIR:/mnt` does) or `private`.
cat >bin/container <<'END'
#!/bin/sh
hostname "$1" && mount -t proc proc /proc || exit 125
case $2 in
    shared) mount --bind locks /mnt ;;
    private) mount -t tmpfs x "layer.$1" && mkdir "layer.$1/upper" "layer.$1/work" &&
        mount -t overlay -o "lowerdir=locks,upperdir=layer.$1/upper,workdir=layer.$1/work" x /mnt ;;
esac || exit 125
shift 2
exec "$@"
END
chmod 755 bin/container
mkdir layer.c1 layer.c2

# start_in HOSTNAME LAYER NAME RUN-OPTION...: start, in a container.
start_in() {
    mkfifo "$3.go"
    spawn "$3" "${namespaces[@]}" container "$1" "$2" "$grouplock" run -d /mnt "${@:4}" -- hold "$3"
}
waiting() {
    "$grouplock" status -J -g "$1" | jq ".locks[0].waiting"
}

start_in c1 shared a -g hw1 -w c1
ok 'starts a' "a container has the slot"
start_in c2 shared b -g hw1 -w c2 --heartbeat 0
ok 'soon "[[ \$(waiting hw1) == 1 ]]"' "another one waits"
queue c -g hw1 -w host
ok 'says b "held by c1 \\(hold a, pid [0-9]+ on c1, "' "... and names the holder, its container's host name too"
run "$grouplock" status -g hw1
like "$out" 'held +c1 +c1 ' "the host sees who holds"
like "$out" '1st waiting +c2 +c2 ' "... and who waits"
run "$grouplock" run -g hw1 -n -- true
is "$status" 75 "... and has no slot itself"
ok '! held b' "... nor has the waiter"
echo go 1<>a.go
finish a
ok 'starts b' "a container's end lets the next in"
ok 'still_waits c' "... and only that"
kill -KILL -- "-${pids[b]}"
wait "${pids[b]}" 2>/dev/null
unset 'pids[b]'
ok 'starts c' "a container is killed: the next one is the host's"
end c
ok 'all_free hw1 default 0' "all is free in the end"

# Ten runs in each of four containers.
cat >bin/ten <<'END'
#!/bin/sh
for i in 1 2 3 4 5 6 7 8 9 10; do
    grouplock run -d /mnt -g hw2 -q -- sh -c 'echo "start $0" >>trace; echo "end $0" >>trace' "$1.$i" || exit 1
done
END
chmod 755 bin/ten
ln -s "$grouplock" bin/grouplock
: >trace
for host in c1 c2 c3 c4; do
    spawn "$host" "${namespaces[@]}" container "$host" shared ten "$host"
done
failed=0
for host in c1 c2 c3 c4; do
    finish "$host"
    ((status == 0)) || failed=1
done
is "$failed:$(grep -c ^start trace)" 0:40 "forty commands in four containers"
ok '(($(most_at_once) <= 2))' "... never more than two at once"

# What goes wrong: each has a copy of the directory. A lower layer that is full does not matter.
start_in c1 private x -g hw3
start_in c2 private y -g hw3
ok 'starts x y' "with a private layer each, two containers run at once under a limit of one"
run "${namespaces[@]}" container c1 private "$grouplock" check -d /mnt --strict
is "$status" 1 "... which check finds"
like "$out" 'warning: file system overlay, .*private layer of one container' "... and why"
end x
end y

done_testing
