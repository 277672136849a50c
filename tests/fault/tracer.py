"""strace(1): which system calls a program makes, and the same program with one of them failing."""

import os
import re
import select
import signal
import subprocess
from collections import Counter, defaultdict

PATIENCE = 30  # seconds after which a program is said to hang

# Where the program's own code begins: main() looks at the standard streams. What comes before is
# the C library's, which ends the program by itself when it cannot even start.
MAIN = re.compile(r"poll\(\[{fd=0,")
CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")


class Result:
    """How a traced program ended; `hung` if it had to be killed."""

    def __init__(self, status, out, err, hung):
        self.status, self.out, self.err, self.hung = status, out, err, hung


class Traced:
    """A running program. Its tracer is nobody's parent, so the status is the program's own, and
    lets go of it when it becomes the command: a fault never hits that."""

    def __init__(self, argv, env, directory, inject, trace):
        self.trace = os.path.join(directory, "trace")
        self.files = {name: os.path.join(directory, name) for name in ("stdout", "stderr")}
        strace = ["strace", "-D", "-f", "-qqq", "-b", "execve", "-o", self.trace]
        strace += ["-e", f"inject={inject}"] if inject else []
        # The tracer and all processes of the program have a copy of the pipe's writing end, but
        # for the keepers, which close it: then it is the tracer's, which ends after them.
        self.alive, theirs = os.pipe()
        with open(self.files["stdout"], "wb") as out, open(self.files["stderr"], "wb") as err:
            self.process = subprocess.Popen(
                (strace if trace else []) + argv, env=env, cwd=directory, stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, pass_fds=(theirs,), start_new_session=True)
        os.close(theirs)

    def running(self):
        return self.process.poll() is None

    def finish(self, patience=PATIENCE):
        """Waits for the program itself; what it left behind may live on."""
        hung = False
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            hung = True
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        texts = {}
        for name, path in self.files.items():
            with open(path, "rb") as file:
                texts[name] = file.read().decode("latin-1")
        return Result(self.process.returncode, texts["stdout"], texts["stderr"], hung)

    def ended(self, patience=PATIENCE):
        """Waits for all processes of the program, its keeper and tracer included."""
        ready, _, _ = select.select([self.alive], [], [], patience)
        os.close(self.alive)
        return bool(ready)


def calls(trace):
    """{name: [how often in start-up, how often in all]} of a trace, of the process that made it
    most often: strace counts for each process by itself."""
    before, after, main = Counter(), defaultdict(Counter), None
    with open(trace, encoding="latin-1") as file:
        for line in file:
            match = CALL.match(line)
            if not match:
                continue
            pid, name, rest = match.groups()
            if main is None and MAIN.match(f"{name}({rest}"):
                main = pid
            if main is None:
                before[name] += name != "execve"  # strace does not count its own
            else:
                after[pid][name] += 1
    if main is None:
        raise SystemExit(f"fault: no call in {trace} is main()'s first one as tracer.py knows it: {MAIN.pattern}")
    found = {}
    for pid, counts in after.items():
        for name, count in counts.items():
            count += before[name] if pid == main else 0
            found[name] = max(found.get(name, 0), count)
    return {name: (before[name], count) for name, count in found.items()}


def injected(trace):
    """Whether a fault was injected: another schedule of threads may leave none to inject."""
    with open(trace, encoding="latin-1") as file:
        return any("(INJECTED)" in line or "killed by SIGKILL" in line for line in file)
