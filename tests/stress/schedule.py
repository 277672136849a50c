"""From a seed to a schedule: what happens when, the same for the same seed and duration."""

import random
from dataclasses import dataclass, field

GROUPS = ("hw1", "hw2")
LOCKS = ("default", "link", "kit")
KITS = ("kit-a", "kit-b", "kit-c", "kit-d")

# The slots of each lock in the beginning and in the end: a number, or a list of names.
NORMAL = {
    "hw1/default": 2, "hw1/link": 1, "hw1/kit": ["kit-a", "kit-b"],
    "hw2/default": 3, "hw2/link": 2, "hw2/kit": ["kit-a", "kit-b", "kit-c"],
}

CONTAINERS = 3
BUILDERS = 54321                # the group whose members take part
USERS = (0, 12341, 12342)
FORMS = ("plain", "captured", "log")
LONG = "long"   # the id of a call that holds a slot for long, and that nobody touches


def count_of(slots):
    """The limit that the value of a [slots] key means."""
    return slots if isinstance(slots, int) else len(slots)


@dataclass
class Call:
    """One call of `grouplock run` or `grouplock claim`."""

    id: str
    group: str
    wants: dict                 # lock: a number, or "all"
    ms: int                     # how long the command runs
    claim: str = ""             # "": run; "yes", "no": a claim, released or left to the end of who claimed
    form: str = "plain"         # where in the shell it claims: claim.sh
    nonblock: bool = False
    timeout: float = 0
    status: int = 0             # the command's own
    nested: bool = False        # the command calls again for a slot that it has
    closes: bool = False        # the command closes its descriptors
    daemon_ms: int = 0          # the command leaves a daemon behind
    keep: bool = False          # -k
    container: int = -1         # the namespaces that it runs in; -1: ours
    user: int = 0               # who calls


@dataclass(order=True)
class Event:
    """Something to do at a time, in seconds since the beginning."""

    at: float
    number: int
    what: str = field(compare=False)
    args: dict = field(compare=False, default_factory=dict)


def make_wants(rng):
    wants = {"default": 1}
    dice = rng.random()
    if dice < 0.12:
        wants = {rng.choice(("link", "kit")): 1}
    elif dice < 0.30:
        wants[rng.choice(("link", "kit"))] = 1
    elif dice < 0.34:
        wants = {"default": 1, "link": 1, "kit": 1}
    for lock in wants:
        dice = rng.random()
        if dice < 0.15 and lock != "link":
            wants[lock] = 2
        elif dice < 0.20:
            wants[lock] = "all"
    return wants


def make_call(rng, number, long_daemon):
    call = Call(f"c{number:05}", rng.choice(GROUPS), make_wants(rng), int(rng.triangular(1, 150, 20)))
    if rng.random() < 0.06:
        call.ms = rng.randint(200, 700)
    dice = rng.random()
    if dice < 0.15:
        call.nonblock = True
    elif dice < 0.30:
        call.timeout = round(rng.uniform(0.02, 3), 2)
    call.user = rng.choice(USERS)
    dice = rng.random()
    if dice < 0.10:
        call.claim = rng.choice(("yes", "no"))
        call.form = rng.choice(FORMS)
        return call
    if dice < 0.16:
        call.nested = True
    elif dice < 0.21:
        call.closes = True
    elif dice < 0.28:
        call.daemon_ms = rng.randint(1, 150)
        call.keep = rng.random() < 0.4
        if not call.keep and rng.random() < 0.3:
            call.daemon_ms = long_daemon  # who would wait for its end would wait too long
    call.status = rng.choice((0, 0, 0, 3))
    if rng.random() < 0.3:
        call.container = rng.randrange(CONTAINERS)
    return call


def change_config(rng, config):
    """Another config, of which one lock has another number of slots or other names."""
    changed = dict(config)
    lock = rng.choice(sorted(config))
    if lock.endswith("kit"):
        changed[lock] = rng.sample(KITS, rng.randint(1, len(KITS)))
    else:
        changed[lock] = rng.randint(1, 4)
    return changed


def make_edits(rng, seconds):
    """Edits of groups.ini. What is closed is opened again soon, and some that is opened wide is narrowed soon."""
    events, at, config = [], 0.0, dict(NORMAL)
    while True:
        at += rng.uniform(0.3, 1.2)
        if at >= seconds:
            return events
        if rng.random() < 0.15:
            lock = rng.choice([lock for lock in sorted(config) if not lock.endswith("kit")])
            events.append((at, dict(config, **{lock: 0})))
            at += rng.uniform(0.1, 0.6)
        if rng.random() < 0.4:
            lock = rng.choice(GROUPS) + "/default"
            events.append((at, dict(config, **{lock: 4})))
            at += rng.uniform(0.2, 0.5)
            config = dict(config, **{lock: 1})
            events.append((at, config))
            if rng.random() < 0.15:     # and stays so, while what was let in before ends and ends
                at += rng.uniform(2, 5)
            continue
        config = change_config(rng, config)
        events.append((at, config))


BURSTS = (1, 1, 2, 4, 8, 16)   # calls that come at once, so that there is a line to stand in

# What is done to processes: how often a second, and what.
HARM = (
    (1.2, "kill", {"whom": "waiter", "signal": "KILL"}),
    (0.8, "kill", {"whom": "waiter", "signal": "TERM"}),
    (0.7, "kill", {"whom": "head", "signal": "KILL"}),
    (0.8, "kill", {"whom": "holder", "signal": "KILL"}),
    (0.6, "kill", {"whom": "holder", "signal": "TERM"}),
    (0.6, "kill", {"whom": "holder", "signal": "KILL", "group": True}),
    (0.4, "kill", {"whom": "waiter", "signal": "KILL", "group": True}),
    (0.5, "kill_keeper", {}),
    (0.3, "terminate_keepers", {}),
    (0.9, "stop", {"whom": "waiter", "signal": "TSTP"}),
    (0.3, "stop", {"whom": "head", "signal": "TSTP"}),
    (0.3, "stop", {"whom": "waiter", "signal": "STOP"}),
    (0.3, "stop", {"whom": "head", "signal": "STOP"}),
    (0.3, "stop", {"whom": "holder", "signal": "STOP"}),
    (0.2, "stop", {"whom": "newcomer", "signal": "STOP"}),
    (0.2, "kill", {"whom": "newcomer", "signal": "KILL"}),
    (0.1, "kill_container", {}),
    (1.0, "status", {}),
)


def make_harm(rng, seconds):
    for per_second, what, args in HARM:
        at = rng.expovariate(per_second)
        while at < seconds:
            extra = {"length": round(rng.uniform(0.02, 0.5), 3)} if what == "stop" else {}
            yield at, what, dict(args, **extra)
            at += rng.expovariate(per_second)


def make(seed, seconds, per_second):
    """The events of a run, in order."""
    rng = random.Random(f"grouplock {seed}")
    # One comes first and holds a slot for long: who waits may have to wait for another one than the first.
    long = Call(LONG, "hw2", {"default": 1}, int(seconds * 500))
    events, calls, at = [(0.0, "call", {"call": long})], 0, 0.3
    while at < seconds:
        burst = rng.choice(BURSTS)
        for _ in range(burst):
            calls += 1
            events.append((at, "call", {"call": make_call(rng, calls, min(4000, int(seconds * 300)))}))
        at += rng.expovariate(per_second / burst)
    events += [(at, "edit", {"config": config}) for at, config in make_edits(rng, seconds)]
    events += make_harm(rng, seconds)
    events.sort(key=lambda event: event[0])
    return [Event(at, number, what, args) for number, (at, what, args) in enumerate(events)]
