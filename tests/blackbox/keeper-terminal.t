#!/usr/bin/env bash
# The command on a terminal: ^C, ^Z, ^\, fg, bg and the hangup act on it as they do
# without grouplock. One dialogue with an interactive shell, held both ways.
. "$(dirname "$0")/keeper.sh"

write_config <<'END'
[slots]
* = 1
END

cat >bin/dialogue <<'END'
#!/usr/bin/env python3
"""dialogue SLOT-FILE [PREFIX...]: types commands with the prefix into a shell on a pseudo terminal.

Prints what became of them, and in lines that start with `slot: ` whether the slot was held then.
"""
import errno
import fcntl
import os
import pty
import re
import select
import shlex
import signal
import sys
import time

PATIENCE = 30
slot_file = sys.argv[1]
prefix = ' '.join(map(shlex.quote, sys.argv[2:]))
PROMPT = 'PROMPT> '


def soon(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            sys.exit('not in time: ' + what)
        time.sleep(0.01)


def state(pid):
    with open('/proc/%s/stat' % pid) as file:
        return file.read().rpartition(')')[2].split()[0]


def slot_is(word):
    def seen():
        with open(slot_file) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return word == 'held'
            return word == 'free'
    if prefix:
        soon(seen, 'the slot is ' + word)
        print('slot:', word)


class Terminal:
    def __init__(self):
        self.text = ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1=PROMPT, TERM='dumb', HISTFILE='')
            os.execvp('bash', ['bash', '--norc', '--noprofile', '--noediting', '-i'])
        self.expect(re.escape(PROMPT))

    def expect(self, pattern):
        """Reads until the pattern has come; what was before is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text):
            ready = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                sys.exit('no match of %r in %r' % (pattern, self.text))
            try:
                data = os.read(self.fd, 4096)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                sys.exit('the terminal is closed: %r' % self.text)
            self.text += data.decode()
        match = re.search(pattern, self.text)
        self.text = self.text[match.end():]
        return match

    def send(self, text):
        os.write(self.fd, text.encode())

    def type(self, command):
        self.send(command + '\n')

    def prompt(self):
        self.expect(re.escape(PROMPT))

    def ask(self, word):
        """What the shell expands the word to."""
        self.type('echo "<$((6 * 7))-%s>"' % word)
        answer = self.expect(r'<42-([^>]*)>').group(1)
        self.prompt()
        return answer

    def start(self, command='cat', suffix=''):
        """Types it with the prefix and waits until it runs."""
        self.type("%s sh -c 'echo ready-$((6 * 7)) $$; exec %s' %s" % (prefix, command, suffix))
        return self.expect(r'ready-42 (\d+)').group(1)

    def echoes(self, word):
        """The foreground process, cat, says what the terminal has echoed; the shell may come between."""
        self.type(word)
        self.expect(r'(?s)%s\r\n.*%s\r\n' % (word, word))


terminal = Terminal()
terminal.type('ulimit -c 0')
terminal.prompt()

for name, key in ('^C', '\x03'), ('^\\', '\x1c'), ('^D', '\x04'):
    terminal.start()
    terminal.echoes('hello')
    slot_is('held')
    terminal.send(key)
    terminal.prompt()
    print(name, 'status', terminal.ask('$?'))
    slot_is('free')

pid = terminal.start()
terminal.send('\x1a')
terminal.expect('Stopped')
terminal.prompt()
print('^Z status', terminal.ask('$?'), 'state', state(pid))
slot_is('held')
terminal.type('fg')
terminal.echoes('again')
soon(lambda: state(pid) == 'S', 'it sleeps until there is something to read')
slot_is('held')
terminal.send('\x1a')
terminal.expect('Stopped')
terminal.prompt()
terminal.type('bg')
terminal.prompt()
soon(lambda: state(pid) == 'T', 'a background process that reads is stopped')
terminal.type('fg')
terminal.echoes('and again')
terminal.send('\x03')
terminal.prompt()
print('^Z, fg, ^Z, bg, fg, ^C: status', terminal.ask('$?'))
slot_is('free')

pid = terminal.start(suffix='&')
soon(lambda: state(pid) == 'T', 'a background process that reads is stopped')
print('&: is job', 'yes' if terminal.ask('$!') == pid else 'no')
slot_is('held')
terminal.type('fg')
terminal.echoes('at last')
terminal.send('\x04')
terminal.prompt()
print('&, fg, ^D: status', terminal.ask('$?'))
slot_is('free')

pid = terminal.start('sleep 100', '&')
terminal.type('kill -TERM %1; wait %1; echo "status-$?-"')
print('&, kill %1:', terminal.expect(r'(status-\d+)-').group(1))
terminal.prompt()
slot_is('free')

terminal.type(prefix + " sh -c 'for fd in 0 1 2; do [ -t $fd ] || exit 3; done; : >/dev/tty && exit 4'")
terminal.prompt()
print('terminal: status', terminal.ask('$?'))

# A shell with job control as the command.
terminal.type(prefix + ' bash --norc --noprofile --noediting -i')
terminal.prompt()
terminal.type("sh -c 'echo ready-$((6 * 7)); exec cat'")
terminal.expect('ready-42')
terminal.send('\x1a')
terminal.expect('Stopped')
terminal.prompt()
slot_is('held')
terminal.type('fg')
terminal.echoes('within')
terminal.send('\x03')
terminal.prompt()
print('within a shell: ^Z, fg, ^C: status', terminal.ask('$?'))
terminal.type('exit 7')
terminal.prompt()
print('the shell: status', terminal.ask('$?'))
slot_is('free')

# The terminal goes away.
pid = terminal.start()
os.close(terminal.fd)
soon(lambda: not os.path.exists('/proc/' + pid), 'the hangup ends the command')
slot_is('free')
os.waitpid(terminal.pid, 0)
print('hung up')
END
chmod 755 bin/dialogue

run dialogue "$slot"
cp run.out bare
is "$status:$err" 0: "a dialogue without grouplock"
expected='^C status 130
^\ status 131
^D status 0
^Z status 148 state T
^Z, fg, ^Z, bg, fg, ^C: status 130
&: is job yes
&, fg, ^D: status 0
&, kill %1: status-143
terminal: status 4
within a shell: ^Z, fg, ^C: status 130
the shell: status 7
hung up'
is "$(<bare)" "$expected" "... goes as expected"
run dialogue "$slot" "$grouplock" run -g hw1 --
is "$status:$err" 0: "the same dialogue with grouplock"
is "$(grep -v ^slot: run.out)" "$expected" "... goes the same way"
is "$(grep ^slot: run.out | cut -d' ' -f2 | paste -sd ' ')" \
    'held free held free held free held held free held free free held free free' \
    "... and the slot is held as long as the command is there, stopped or not"
ok 'soon no_keepers' "no keeper is left"

done_testing
