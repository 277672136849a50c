#!/usr/bin/env bash
# Nobody could continue the processes of an orphaned process group, so the kernel does not let SIGTSTP stop
# them. Then it costs a waiter no place in the queue either.
# shellcheck disable=SC2016 # what other shells run
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[slots]
* = 1
END
# own_ticket: of the waiter 'o', which has open the one before its own, too, while another is before it.
own_ticket() { find "/proc/$(<o.pid)/fd" -lname '*/ticket.*' -printf '%l\n' | sort -V | tail -n 1; }
for kind in child grandchild leader; do
    rm -f ./*.held ./*.pid
    hold holder -g hw1
    mkfifo "o$kind.go"
    case $kind in
        leader) spawn session setsid -w sh -c 'echo $$ >o.pid; exec "$grouplock" run -g hw1 -- hold oleader' ;;
        child) spawn session setsid -w sh -c '"$grouplock" run -g hw1 -- hold ochild & echo $! >o.pid; wait' ;;
        grandchild) spawn session setsid -w sh -c 'sh -c "\"\$grouplock\" run -g hw1 -- hold ograndchild & echo \$! >o.pid; wait"; :' ;;
    esac
    soon '[[ -s o.pid ]] && queued_pid "$(<o.pid)"' || die "'o' should have queued ($kind)"
    ticket=$(own_ticket)
    queue b -g hw1
    # Before the kernel forgets it, it is pending or handled: a second one, after the first has been taken.
    for _ in 1 2 3; do
        kill -TSTP "$(<o.pid)"
        soon '! grep -Eq "^(SigPnd|ShdPnd):.*[1-9a-f]" "/proc/$(<o.pid)/status"' || break
    done
    ok 'soon "asleep b \"$ticket\""' "SIGTSTP in an orphaned process group ($kind): the next in line sleeps on the same ticket"
    is "$(own_ticket)" "$ticket" "... it has its place"
    end holder
    ok "starts o$kind" "... and comes first"
    ok 'still_waits b' "... before the next"
    echo go 1<>"o$kind.go"
    finish session
    ok 'starts b' "... which comes then"
    end b
done

# Who becomes an orphan while it waits.
rm -f ./*.held o.pid
hold holder -g hw1
mkfifo o.go leave
# A shell with job control, as an interactive one: its job has a process group of its own, until the shell ends.
spawn session setsid -w bash -c 'set -m; "$grouplock" run -g hw1 -- hold o & echo $! >o.pid; read -r _ <leave'
soon '[[ -s o.pid ]] && queued_pid "$(<o.pid)"' || die "'o' should have queued"
queue b -g hw1
kill -TSTP "$(<o.pid)"
ok 'soon "grep -q \"^State:[[:space:]]T\" /proc/\$(<o.pid)/status"' "a job of a shell is stopped by SIGTSTP"
kill -CONT "$(<o.pid)"
soon 'queued_pid "$(<o.pid)"' || die "'o' should be back"
queue c -g hw1
ticket=$(own_ticket)
echo go 1<>leave
finish session
kill -TSTP "$(<o.pid)"
soon '! grep -Eq "^(SigPnd|ShdPnd):.*[1-9a-f]" "/proc/$(<o.pid)/status"'
ok 'soon "asleep c \"$ticket\""' "... when the shell has ended: the next in line sleeps on the same ticket"
is "$(own_ticket)" "$ticket" "... it has its place"
end holder
end b
ok 'starts o' "... and its turn"
echo go 1<>o.go
end c
done_testing
