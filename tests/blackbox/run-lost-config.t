#!/usr/bin/env bash
# Claims 6: a config that becomes unreadable while somebody waits keeps the last
# good limit.
. "$(dirname "$0")/lib.sh"

# Each way to lose it has a config and a group of its own; all go at once.
ways=(removed garbled binary directory empty-group)

# config WAY COUNT
config() {
    [[ ! -d $1.ini ]] || rmdir "$1.ini"
    printf '[slots]\n%s = %s\n' "$1" "$2" >"$1.new"
    mv "$1.new" "$1.ini"
}

# lose WAY: what happens to its config.
lose() {
    case $1 in
        removed) rm removed.ini ;;
        garbled) config garbled 4x ;;
        binary) head -c 2000 /bin/sh >binary.new && mv binary.new binary.ini ;;
        directory) rm directory.ini && mkdir directory.ini ;;
        empty-group) printf '[workers]\nw1 =\n' >>empty-group.ini ;;
    esac
}

for way in "${ways[@]}"; do
    config "$way" 2
    hold "$way-a" -f "$way.ini" -g "$way"
    hold "$way-b" -f "$way.ini" -g "$way"
    queue "$way-c" -f "$way.ini" -g "$way" --heartbeat 0.2
    queue "$way-d" -f "$way.ini" -g "$way"
done
for way in "${ways[@]}"; do lose "$way"; done
for way in "${ways[@]}"; do
    ok "says $way-c '^grouplock: .*$way\\.ini'" "$way while somebody waits: the head says so"
    run "$grouplock" run -f "$way.ini" -g "$way" -n -- true
    refused "... and newcomers are refused" "$way.ini"
done
for way in "${ways[@]}"; do
    ok "lives_on $way-c 12 && still_waits $way-c" "$way: the head waits on"
    is "$(said "$way-c" "$way\\.ini")" 1 "... and has said so once"
    end "$way-a"
    ok "starts $way-c" "... with the last good limit"
    ok "still_waits $way-d" "... which still is two"
done
for way in "${ways[@]}"; do config "$way" 3; done
for way in "${ways[@]}"; do
    ok "starts $way-d" "$way, mended and raised: the limit is read again"
    for name in b c d; do end "$way-$name"; done
done

done_testing
