"""Where a stress run happens: a directory of its own, its config, its trace, its containers."""

import fcntl
import json
import os
import shutil
import subprocess
import time

from schedule import BUILDERS, CONTAINERS, GROUPS, LOCKS


def now():
    """The clock of records and of the trace, in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


class Places:
    def __init__(self, work, grouplock, tools):
        self.work = work
        self.grouplock = grouplock
        self.job = os.path.join(tools, "stress-job")
        self.watch = os.path.join(tools, "stress-watch")
        self.claim = os.path.join(os.path.dirname(os.path.abspath(__file__)), "claim.sh")
        self.locks = os.path.join(work, "locks")
        self.inside = os.path.join(work, "inside")  # where containers see the same directory
        self.config = os.path.join(work, "groups.ini")
        self.trace = os.path.join(work, "trace")
        self.errors = os.path.join(work, "errors")
        for path in (self.locks, self.inside, self.errors):
            os.mkdir(path, 0o700)
        self._trace_fd = os.open(self.trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.several_users = os.geteuid() == 0
        if self.several_users:
            self._admit_builders()

    def _admit_builders(self):
        """Lets the other users in, to whom the caller's own directories may be closed."""
        os.mkdir(os.path.join(self.work, "bin"))
        for name in ("grouplock", "job", "claim"):
            copy = os.path.join(self.work, "bin", os.path.basename(getattr(self, name)))
            shutil.copy(getattr(self, name), copy)
            os.chmod(copy, 0o755)
            setattr(self, name, copy)
        path = self.work
        while os.stat(path).st_uid == os.geteuid() and not os.stat(path).st_mode & 0o001:
            os.chmod(path, os.stat(path).st_mode | 0o011)
            path = os.path.dirname(path)
        for path, mode in ((self.locks, 0o2770), (self.trace, 0o660)):
            os.chown(path, -1, BUILDERS)
            os.chmod(path, mode)

    def become(self, user):
        """What a command begins with so that it is a user's; nothing where nobody can be another."""
        if not self.several_users or not user:
            return []
        return ["setpriv", "--reuid", str(user), "--regid", str(user), "--groups", str(BUILDERS), "--"]

    def say(self, what, who, *rest):
        """A line of the trace, by one write. Returns its time."""
        at = now()
        line = " ".join([what, who, str(at), *map(str, rest)]) + "\n"
        os.write(self._trace_fd, line.encode())
        return at

    def environment(self, contained=False):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GROUPLOCK")}
        clean["GROUPLOCK_CONFIG"] = self.config
        clean["GROUPLOCK_DIR"] = self.inside if contained else self.locks
        clean["LC_ALL"] = "C"
        return clean

    def write_config(self, config):
        """Replaces groups.ini in one step, as a careful admin would."""
        lines = []
        for lock in LOCKS:
            lines.append("[slots]" if lock == "default" else f"[slots {lock}]")
            for group in GROUPS:
                slots = config[f"{group}/{lock}"]
                lines.append(f"{group} = {slots if isinstance(slots, int) else ' '.join(slots) + ','}")
        with open(self.config + ".new", "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(self.config + ".new", 0o644)
        os.rename(self.config + ".new", self.config)

    def lock_dirs(self):
        return [os.path.join(self.locks, group, lock) for group in GROUPS for lock in LOCKS]

    def make_locks(self):
        """One call for each lock, so that its directory is there to be watched."""
        for group in GROUPS:
            for lock in LOCKS:
                subprocess.run([self.grouplock, "run", "-g", group, "-l", lock, "true"], check=True,
                               env=self.environment())


class Gates:
    """Passes through every gate once, as the next in line for it, and never waits in a system call."""

    def __init__(self, places):
        self._left = [os.path.join(path, "gate") for path in places.lock_dirs()]

    def passed(self):
        left = []
        for path in self._left:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                left.append(path)
            finally:
                os.close(fd)
        self._left = left
        return not left


class Edits:
    """Edits of the config, each in force for everybody once every gate was passed after it."""

    def __init__(self, places):
        self._places = places
        self._pending = []
        self._count = 0

    def make(self, config):
        self._count += 1
        self._places.say("edit", str(self._count), json.dumps(config, separators=(",", ":")))
        self._places.write_config(config)
        self._pending.append((str(self._count), Gates(self._places)))

    def settle(self):
        while self._pending and self._pending[0][1].passed():
            self._places.say("known", self._pending.pop(0)[0])
        return not self._pending


# How far the clocks of a container run before ours. Deadlines must not depend on what clock somebody else has.
AHEAD = (0, 100_000, 200_000_000)

CONTAINER = 'mount --make-rprivate / && mount --bind "$0" "$1" && exec "$2" -I'


class Container:
    """PID, mount and time namespaces whose init does nothing. The shared directory has another name there."""

    def __init__(self, places, number):
        clocks = ["--time", "--monotonic", str(AHEAD[number]), "--boottime", str(AHEAD[number])]
        self._time = ["--time"] if os.path.exists("/proc/self/ns/time") else []
        self._process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc",
             *(clocks if self._time else []), "sh", "-c", CONTAINER, places.locks, places.inside, places.job],
            stdin=subprocess.PIPE)
        self.init = 0
        self._wait_for_init()

    def _wait_for_init(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise OSError(f"unshare: status {self._process.returncode}")
            for pid, parent, name in processes():
                if parent == self._process.pid and name == "stress-job":
                    self.init = pid
                    return
            time.sleep(0.01)
        self.end()
        raise OSError("no init of a container after 30 s")

    def enter(self):
        return ["nsenter", "--target", str(self.init), "--pid", "--mount", *self._time, "--"]

    def end(self):
        self._process.kill()  # --kill-child: and with it all that is inside
        self._process.wait()
        self._process.stdin.close()  # should we die first, this is what ends it


def make_containers(places):
    """As many as there are to be, or none and why."""
    if os.geteuid() != 0:
        return [], "it takes root to make them"
    containers = []
    try:
        for number in range(CONTAINERS):
            containers.append(Container(places, number))
    except OSError as error:
        for container in containers:
            container.end()
        return [], str(error)
    return containers, ""


def processes():
    """(pid, parent, name) of every process."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                stat = file.read().decode("utf-8", "replace")
        except OSError:
            continue
        name, rest = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2:].split()
        yield int(entry), int(rest[1]), name
