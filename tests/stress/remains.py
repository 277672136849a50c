"""What is left of a run: nothing, or it is a problem."""

import fcntl
import os
import time

from places import processes

KEEPER = "grouplock-keepe"  # the kernel keeps 15 characters of a name
PATIENCE = 30


def has_open(pid, files):
    """Whether a process has one of these files open, by whatever name."""
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                status = os.stat(f"/proc/{pid}/fd/{fd}")
            except OSError:
                continue
            if (status.st_dev, status.st_ino) in files:
                return True
    except OSError:
        pass
    return False


def keepers(paths):
    """The keepers that have one of the files open."""
    files = set()
    for path in paths:
        status = os.stat(path)
        files.add((status.st_dev, status.st_ino))
    return [pid for pid, _, name in processes() if name == KEEPER and has_open(pid, files)]


def is_free(path, operation):
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def locked(places):
    """Files of the directory that somebody still has locked."""
    return [os.path.join(path, name) for path in places.lock_dirs() for name in sorted(os.listdir(path))
            if not is_free(os.path.join(path, name), fcntl.LOCK_EX)]


def from_here(places):
    """Processes that were called with this directory, keepers among them, and children of ours that ended unseen."""
    mark = places.work.encode()
    for pid, parent, name in processes():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if b"GROUPLOCK_DIR=" + mark in file.read():
                    yield f"{name}, pid {pid}"
            with open(f"/proc/{pid}/stat", "rb") as file:
                if parent == os.getpid() and b") Z " in file.read():
                    yield f"{name}, pid {pid}, which nobody waited for"
        except OSError:
            pass


def slots(places):
    return [os.path.join(path, name) for path in places.lock_dirs() for name in os.listdir(path)
            if name.startswith("slot.")]


def find(places):
    """Problems: what is left when it should be gone."""
    deadline = time.monotonic() + PATIENCE
    while True:
        left = [f"locked: {path}" for path in locked(places)]
        left += [f"a keeper lives: pid {pid}" for pid in keepers(slots(places))]
        left += [f"a process lives: {process}" for process in from_here(places)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)
