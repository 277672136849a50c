"""A line of waiters in front of one program: who gets its turn when, and what it costs."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path


class GaveUp(Exception):
    """It took longer than a table is worth."""


def give_up(*_):
    raise GaveUp


def wait_until(condition):
    pause = 0.0005
    while not condition():
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def read_stamps(path):
    """(number, began, ended) of each command, in nanoseconds, in the order of their beginnings."""
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return sorted((tuple(map(int, line.split())) for line in lines), key=lambda stamp: stamp[1])


def duration(number, milliseconds):
    """Of command `number`: so long, up to twice, so that they do not end in step."""
    return milliseconds * (7 + number * 3 % 7) // 7


@contextlib.contextmanager
def undisturbed():
    """No signal comes between what happens and the note of it: a process started is one that is ended."""
    was = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, was)


def inversions(order, in_line):
    """Pairs that were served in another order than that in which they came.

    Of those above `in_line` nobody waited until they stood in line, so which of two came first is not known.
    """
    return sum(after < before and after <= in_line for i, before in enumerate(order) for after in order[i + 1:])


def handovers(stamps, slots):
    """Microseconds from the end of one command to the start of the one that follows it.

    Below 0 if that did not wait for the end.
    """
    ends = sorted(stamp[2] for stamp in stamps)
    return [(stamp[1] - end) / 1000 for stamp, end in zip(stamps[slots:], ends)]


def pss(pid):
    """Of the process, in KiB: memory that it shares counts in parts."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError("no Pss")


HOLDER = 0  # the number that stamps of holders bear

# How many newcomers there are for each waiter: enough not to end before the line.
STREAM = 3


def remove(directory, patience=5):
    """A command whose wrapper was killed may still be about to write there."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return directory.cleanup()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class Line:
    """`count` waiters behind holders of all slots; `in_order`: each in line before the next one comes.

    Raises GaveUp, wherever it is, when `limit` seconds are over.
    """

    def __init__(self, kind, program, stamp, count, slots=1, milliseconds=0, limit=60, in_order=True):
        signal.signal(signal.SIGALRM, give_up)
        with undisturbed():
            self.home = tempfile.TemporaryDirectory(prefix="grouplock-bench.")
            path = Path(self.home.name)
            self.stamps, self.stamp, self.milliseconds = path / "stamps", stamp, milliseconds
            self.count, self.pids, self.holders, self.newcomers = count, [], [], []
            (path / "queue").mkdir()
            self.peer = kind("", program, path / "queue", slots)
            self.peer.waiters = self.pids
            os.mkfifo(path / "go")
            self.go = os.open(path / "go", os.O_RDWR | os.O_CLOEXEC)
            self.cpu = 0.0
        try:
            signal.setitimer(signal.ITIMER_REAL, limit)
            self._hold(path, slots)
            self._line_up(in_order)
        except BaseException:
            self.close()
            raise

    def _start(self, words):
        actions = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
        return os.posix_spawn(words[0], words, self.peer.environ, file_actions=actions, setsigmask=(),
                              setpgroup=0)

    def _start_waiter(self, number, pids):
        words = self.peer.command(self.stamp, str(self.stamps), str(number), str(duration(number, self.milliseconds)))
        with undisturbed():
            pids.append(self._start(words))

    def _hold(self, path, slots):
        for i in range(slots):
            script = (f": >'{path}/held.{i}'; read -r line <'{path}/go'; "
                      f"exec '{self.stamp}' '{self.stamps}' {HOLDER} {duration(i, self.milliseconds)}")
            with undisturbed():
                self.holders.append(self._start(self.peer.command("/bin/sh", "-c", script)))
            wait_until((path / f"held.{i}").exists)

    def _line_up(self, in_order):
        for number in range(1, self.count + 1):
            self._start_waiter(number, self.pids)
            if in_order:
                wait_until(lambda: self.peer.queued() >= number)
        wait_until(lambda: self.peer.queued() >= self.count)

    def memory(self, sample=50):
        """KiB of PSS of a waiter, as the mean of some."""
        some = self.pids[::max(1, len(self.pids) // sample)]
        return sum(map(pss, some)) / len(some)

    def _reap(self, pids, flags=0):
        """Waits for the first of the pids; False: it has not ended yet."""
        if not os.waitid(os.P_PID, pids[0], os.WEXITED | os.WNOWAIT | flags):
            return False
        with undisturbed():
            _, status, usage = os.wait4(pids.pop(0), 0)
        self.cpu += usage.ru_utime + usage.ru_stime
        if status:
            raise RuntimeError(f"a process of {self.peer.program} ended with status {status}")
        return True

    def drain(self, newcomers=False):
        """Lets the holders go; returns the seconds until the last waiter's command has ended.

        With `newcomers`, a stream of others tries to get in between.
        """
        began = time.monotonic()
        os.write(self.go, b"\n" * len(self.holders))
        while self.holders:
            self._reap(self.holders)
        self.cpu = 0.0
        while self.pids:
            if not newcomers:
                self._reap(self.pids)
            elif not self._reap(self.pids, os.WNOHANG):
                if len(self.newcomers) < STREAM * self.count:
                    self._start_waiter(self.count + 1 + len(self.newcomers), self.newcomers)
                time.sleep(0.001)
        if self.peer.detaches:
            wait_until(lambda: len(self.order()) >= self.count)
        took = time.monotonic() - began
        while self.newcomers:
            self._reap(self.newcomers)
        return took

    def order(self):
        return [stamp[0] for stamp in read_stamps(self.stamps) if stamp[0] != HOLDER]

    def handovers(self):
        return handovers(read_stamps(self.stamps), self.peer.slots)

    def close(self):
        signal.setitimer(signal.ITIMER_REAL, 0)
        with undisturbed():
            for pid in self.pids + self.newcomers + self.holders:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            os.close(self.go)
            self.peer.close()
            remove(self.home)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()
