"""The programs that are measured, each called as its manual says to run one command at a time."""

import os
import shutil
import subprocess
from pathlib import Path


class Peer:
    """One program in a directory of its own; a fresh one is a queue in which nobody stands."""

    counts = False  # it can let more than one run at once
    detaches = False  # it returns at once; `wait` waits for what it started
    slow = False  # a call takes tenths of a second
    wait = None
    waiters = ()  # pids of those who were started to wait

    def __init__(self, name, program, directory, slots=1):
        self.name, self.directory, self.slots = name, Path(directory), slots
        self.program = shutil.which(program) if "/" not in program else program
        self.environ = dict(os.environ, HOME=str(directory))
        self.file = str(self.directory / "file")
        if self.program:
            Path(self.file).touch()
            self.prepare()

    def prepare(self):
        pass

    def close(self):
        pass

    def awaited(self):
        """The file whose lock tells that nothing is left of the last call."""
        return "-"

    def queued(self):
        """How many stand in line, those who run not counted."""
        inode = f":{os.stat(self.file).st_ino} "
        with open("/proc/locks", encoding="ascii") as locks:
            return sum(" -> " in line and inode in line for line in locks)


class Grouplock(Peer):
    counts = True
    options = ()

    def prepare(self):
        (self.directory / "slots").mkdir()
        (self.directory / "groups.ini").write_text(f"[slots]\n* = {self.slots}\n", encoding="ascii")
        self.environ.update(GROUPLOCK_CONFIG=str(self.directory / "groups.ini"),
                            GROUPLOCK_DIR=str(self.directory / "slots"))

    def command(self, *words):
        return [self.program, "run", *self.options, "-w", "w", "--", *words]

    def awaited(self):
        return str(self.directory / "slots/w/default/slot.0")

    def queued(self):
        try:
            words = (self.directory / "slots/w/default/gate").read_text(encoding="ascii").split()
        except OSError:
            return 0
        counters = dict(word.split("=") for word in words if "=" in word)
        return int(counters["next"]) - int(counters["first"]) if "next" in counters else 0


class GrouplockKept(Grouplock):
    options = ("-k",)

    def awaited(self):
        return "-"


class Wrapper(Peer):
    def command(self, *words):
        return [self.program, *words]


class Flock(Peer):
    options = ()

    def command(self, *words):
        return [self.program, *self.options, self.file, *words]


class FlockNoFork(Flock):
    options = ("-F",)


class WithLockEx(Flock):
    options = ("-w",)


class Sem(Peer):
    counts = slow = True

    def prepare(self):
        (self.directory / ".parallel").mkdir()
        (self.directory / ".parallel/will-cite").touch()

    def command(self, *words):
        return [self.program, "--fg", "--id", "bench", f"-j{self.slots}", *words]

    def queued(self):
        """Those who sleep between two looks; it keeps no list of them."""
        return sum(self._sleeps(pid) for pid in self.waiters)

    @staticmethod
    def _sleeps(pid):
        with open(f"/proc/{pid}/wchan", encoding="ascii") as wchan:
            return "poll" in wchan.read()  # Perl's select()


class TaskSpooler(Peer):
    counts = True

    def prepare(self):
        self.environ.update(TS_SOCKET=str(self.directory / "socket"), TS_MAXCONN="1000")
        self._ask("-S", str(self.slots))

    def _ask(self, *words):
        return subprocess.run([self.program, *words], env=self.environ, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def command(self, *words):
        return [self.program, "-nf", *words]

    def queued(self):
        return self._ask().count(" queued ")

    def close(self):
        self._ask("-K")


class Nq(Peer):
    detaches = True

    def prepare(self):
        self.environ.update(NQDIR=str(self.directory))
        self.wait = [self.program, "-w"]

    def command(self, *words):
        return [self.program, "-c", "-q", *words]

    def queued(self):
        return len(list(self.directory.glob(",*"))) - 1


# Names as the table has them: kind, program.
PEERS = {
    "flock": (Flock, "flock"),
    "flock -F": (FlockNoFork, "flock"),
    "s6-setlock": (Flock, "s6-setlock"),
    "setlock": (Flock, "setlock"),
    "with-lock-ex -w": (WithLockEx, "with-lock-ex"),
    "sem --fg": (Sem, "sem"),
    "tsp -nf": (TaskSpooler, "tsp"),
    "nq, nq -w": (Nq, "nq"),
}
