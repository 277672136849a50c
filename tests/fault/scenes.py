"""What is done while a system call fails, and what may come of it: a clear error and 125, or
success. Never a command without its slots, never a slot that nobody holds, never a hang."""

import fcntl
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from tracer import PATIENCE, Traced

STATUS = 7  # the command's
CONFIG = "[slots]\nhw1 = 2\nhw2 = 1\n[slots link]\n* = 1\n"
# The command tries the locks of the slots it is said to have. It runs untraced, so if it cannot
# do that, something else is wrong.
COMMAND = r"""
for slot in $GROUPLOCK_SLOT; do
    flock -n "$GROUPLOCK_DIR/$GROUPLOCK_GROUP/default/slot.$slot" true
    case $? in
    1) echo held >>started ;;
    *) echo "slot $slot is not held" >>started ;;
    esac
done
exit 7
"""
KEYS = ("PATH", "HOME", "LANG", "TMPDIR")


class Scene:
    """A directory, a call, and a judgement of what became of it."""

    name = ""
    group = "hw1"
    arguments = []

    def __init__(self, program):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="grouplock-fault.")
        self.locks = os.path.join(self.directory, "locks")
        self.config = os.path.join(self.directory, "groups.ini")
        self.env = {key: os.environ[key] for key in KEYS if key in os.environ}
        self.env.update(GROUPLOCK_CONFIG=self.config, GROUPLOCK_DIR=self.locks, LC_ALL="C",
                        PATH="/usr/bin:/bin")
        os.mkdir(self.locks, 0o700)
        with open(self.config, "w", encoding="ascii") as file:
            file.write(CONFIG)

    def __enter__(self):
        self.prepare()
        return self

    def __exit__(self, *_):
        self.clear()
        shutil.rmtree(self.directory)

    def prepare(self):
        """What is there before."""

    def during(self, traced):
        """What others do meanwhile."""

    def clear(self):
        """Ends what prepare() has started."""

    def argv(self):
        return [self.program] + self.arguments

    def grouplock(self, *arguments):
        """A call in which nothing fails."""
        return subprocess.run([self.program, *arguments], env=self.env, cwd=self.directory,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def slots(self):
        return glob.glob(os.path.join(self.locks, "*", "*", "slot.*"))

    def play(self, inject=None, trace=True):
        """What is wrong with how it goes, or None."""
        self.lethal = inject is not None and "signal=KILL" in inject
        traced = Traced(self.argv(), self.env, self.directory, inject, trace)
        self.during(traced)
        result = traced.finish()
        problem = f"hangs for {PATIENCE} s" if result.hung else self.judge(result)
        self.clear()
        if not traced.ended():
            problem = problem or f"something lives on for {PATIENCE} s"
        self.result = result
        return problem or self.judge_after()

    def was_killed(self, result):
        return self.lethal and result.status == -signal.SIGKILL

    def judge(self, result):
        raise NotImplementedError

    def judge_after(self):
        """What nobody may find afterwards."""
        for slot in self.slots():
            if not soon(lambda slot=slot: not is_locked(slot)):
                return f"{os.path.relpath(slot, self.locks)} stays locked"
        after = self.grouplock("run", "-n", "-g", self.group, "-x", "--", "true")
        if after.returncode or after.stderr:
            return f"the next call fails with {after.returncode}: {after.stderr}"
        return None


def is_locked(path):
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
    return False


def soon(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def sleepers(path):
    """Whether somebody sleeps in flock() on the file."""
    inode = os.stat(path).st_ino
    with open("/proc/locks", encoding="ascii") as file:
        return re.search(rf"-> FLOCK .*:{inode} ", file.read()) is not None


def complaint(result, statuses=(125,)):
    """What is wrong with a failure of grouplock's own, or None."""
    if result.status not in statuses:
        return f"ends with {result.status}: {result.err!r}"
    if not result.err.startswith("grouplock: ") or result.err.count("\n") != 1:
        return f"does not say what is wrong in one line: {result.err!r}"
    return None


class Run(Scene):
    name = "run, in a new directory"
    wanted = 1  # slots
    arguments = ["run", "-q", "-g", "hw1"]

    def argv(self):
        return super().argv() + ["--", "/bin/sh", "-c", COMMAND]

    def judge(self, result):
        started = os.path.join(self.directory, "started")
        if not os.path.exists(started):
            # 126, 127: it was about to be started, and exec failed.
            return None if self.was_killed(result) else complaint(result, (125, 126, 127))
        with open(started, encoding="ascii") as file:
            said = file.read().split("\n")[:-1]
        if said != ["held"] * self.wanted:
            return f"the command ran without its slots: {said}"
        if result.status != STATUS or result.err:
            return f"the command's status becomes {result.status}, {result.err!r}"
        return None


class RunAgain(Run):
    name = "run, where everything is there"

    def prepare(self):
        self.grouplock("run", "-g", "hw1", "-c", "2", "--", "true")


class RunSeveral(Run):
    name = "run, two slots and another lock"
    arguments = ["run", "-q", "-g", "hw1", "-l", "default=2", "-l", "link"]
    wanted = 2


class RunInLine(Run):
    """Behind somebody in the queue, and then behind a holder."""

    name = "run, in the queue"
    group = "hw2"
    arguments = ["run", "-q", "-g", "hw2"]
    blocked = ("ticket.1", "slot.0")

    def prepare(self):
        place = os.path.join(self.locks, "hw2", "default")
        self.grouplock("run", "-g", "hw2", "--", "true")
        gate = "grouplock 1 first=1 next=2 limit=1 top=1"
        with open(os.path.join(place, "gate"), "w", encoding="ascii") as file:
            file.write(gate.ljust(127) + "\n")
        self.others = []
        for name in self.blocked:
            file = open(os.path.join(place, name), "a+b")
            fcntl.flock(file, fcntl.LOCK_EX)
            self.others.append(file)

    def during(self, traced):
        """Lets the others go, one after the other, each when it is waited for."""
        while self.others and traced.running():
            deadline = time.monotonic() + 1  # where nothing can be had to wait with nobody sleeps on it
            while traced.running() and time.monotonic() < deadline:
                if sleepers(self.others[0].name):
                    break
                time.sleep(0.005)
            self.let_go()

    def let_go(self):
        file = self.others.pop(0)
        fcntl.flock(file, fcntl.LOCK_UN)
        file.close()

    def clear(self):
        while self.others:
            self.let_go()


class Claim(Scene):
    name = "claim"

    def prepare(self):
        # What the claim is bound to: ends when its standard input does.
        self.bound = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def clear(self):
        if self.bound.poll() is None:
            self.bound.stdin.close()
            self.bound.wait()

    def argv(self):
        return [self.program, "claim", "-q", "-g", "hw1", "--pid", str(self.bound.pid)]

    def judge(self, result):
        locked = [slot for slot in self.slots() if is_locked(slot)]
        if self.was_killed(result):
            return None
        if result.status == 0:
            if "GROUPLOCK_HELD='hw1/default/slot." not in result.out or result.err:
                return f"success without a claim: {result.out!r} {result.err!r}"
            if not locked:  # the end of a keeper that is killed: grouplock(1), "The keeper"
                return None if self.lethal else "success, but nothing is held"
            return self.judge_release(result)
        return complaint(result) or self.judge_failure(result)

    def judge_release(self, result):
        """Nobody could end a claim whose keeper does not hear of it."""
        try:
            told = self.grouplock("release", re.search("^GROUPLOCK_CLAIM='(.*)';", result.out, re.MULTILINE)[1])
        except subprocess.TimeoutExpired:
            return "a claim that cannot be released"
        return told.stderr or ("released, but it is held" if any(map(is_locked, self.slots())) else None)

    def judge_failure(self, result):
        if not result.out.endswith("(exit 125)\n"):
            return f"eval would not see the failure: {result.out!r}"
        # The keeper, if it was started at all, may need a moment, but not until its process ends.
        if soon(lambda: not any(map(is_locked, self.slots()))):
            return None
        return "a claim that failed holds on"


class Release(Claim):
    name = "release"

    def prepare(self):
        Claim.prepare(self)
        claim = self.grouplock("claim", "-g", self.group, "--pid", str(self.bound.pid)).stdout
        self.env.update(re.findall("^(GROUPLOCK_(?:HELD|CLAIM))='(.*)';", claim, re.MULTILINE))

    def argv(self):
        return [self.program, "release"]

    def judge(self, result):
        if self.was_killed(result):
            return None
        if result.status == 0 and not result.err:
            return "success, but it is held" if any(map(is_locked, self.slots())) else None
        return complaint(result, (1, 125))


class ReleaseById(Release):
    name = "release of an id"

    def argv(self):
        return super().argv() + [self.id]

    def prepare(self):
        super().prepare()
        del self.env["GROUPLOCK_HELD"]
        self.id = self.env.pop("GROUPLOCK_CLAIM")


class RunNested(Claim):
    """In a claim of the only slot: what does not pass through would wait for itself."""

    name = "run, nested"
    group = "hw2"
    prepare = Release.prepare
    judge, wanted = Run.judge, Run.wanted

    def argv(self):
        return [self.program, "run", "-q", "-g", "hw2", "--", "/bin/sh", "-c", COMMAND]


class RunInMemory(Scene):
    """The command is the program itself, which asks for less the second time."""

    name = "run, with little memory"

    def __init__(self, program, limit):
        super().__init__(program)
        self.limit = limit

    def prepare(self):
        with open(self.config, "a", encoding="ascii") as file:
            file.write("[workers]\n")
            file.writelines(f"worker-with-a-name-{i} = hw{i}\n" for i in range(3000))

    def argv(self):
        run = ["run", "-q", "-g", "hw1", "--", self.program, "--version"]
        return ["prlimit", f"--data={self.limit}", self.program] + run

    @staticmethod
    def least(program):
        """What the C library needs to come up at all."""
        limit, step = 0, 1 << 14
        while subprocess.run(["prlimit", f"--data={limit}", program, "--version"],
                             capture_output=True, check=False).returncode:
            limit += step
        return limit

    def judge(self, result):
        if result.status == 0 and result.out.startswith("grouplock ") and not result.err:
            return None
        return complaint(result, (125, 126))


SHORT = [Run, RunInLine, RunNested, Claim, Release]
LONG = [Run, RunAgain, RunSeveral, RunInLine, RunNested, Claim, Release, ReleaseById]
