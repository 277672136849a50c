"""Judges a trace: nobody waits while slots are free, for longer than a bounded time.

On the safe side again: a slot counts as free only if nobody can have had it, and time in which a
process was stopped does not count, since that one may have been in the gate.
"""

from collections import defaultdict

from oracle import places_in_line
from schedule import count_of
from trace import NEVER, RECHECK, SECOND

# A hand-over takes several processes, each of which may have to wait for its turn.
SLOW = 4


def freed(past):
    """When its slots were free, but for the time that its keeper takes."""
    if past.call.keep or past.orphaned:
        return max(past.exit, past.gone) if past.exit < NEVER else NEVER
    return past.exit


def uses(trace):
    """(lock, from, until, slots or None for all): what calls had, or can have had."""
    for past in trace.pasts.values():
        if past.slots:
            for lock, slots in past.slots.items():
                begin = past.ask if past.call.claim or not slots.first else slots.first
                yield lock, begin, freed(past), len(slots.names)
        elif len(past.call.wants) > 1:
            for lock, count in past.call.wants.items():
                yield f"{past.call.group}/{lock}", past.ask, past.exit, None if count == "all" else count


def unseen(trace):
    """(lock, from, until) of calls that may wait in the queue with a ticket that nobody saw."""
    for past in trace.pasts.values():
        for lock in past.call.wants:
            place = f"{past.call.group}/{lock}"
            if trace.missed.get(place) and place not in past.tickets:
                slots = past.slots.get(place)
                yield place, past.ask, slots.last if slots and slots.last else past.exit


class Lock:
    """One lock while time goes by."""

    def __init__(self, name, trace):
        self.name = name
        self.limits = trace.limits
        self.in_line = {}       # number: Place
        self.used = 0
        self.all_used = 0       # by how many that may have all
        self.hidden = 0         # how many may wait in the queue unseen
        self.idle_head = None   # who could go on
        self.idle = 0           # for how long, without the time in which somebody was stopped
        self.begin = 0          # since when
        self.clock_runs = False
        self.last = 0

    def head_could_go(self, at):
        if not self.in_line or self.all_used or self.hidden:
            return None
        head = self.in_line[min(self.in_line)]
        limit = self.limits.least(self.name, at - RECHECK, at)
        want = head.past.call.wants[self.name.split("/")[1]]
        want = limit if want == "all" else want
        return head if at < head.sure and 0 < want and self.used + want <= limit else None

    def step(self, at, stopped):
        """To be called after each change. Yields how long a head has waited for nothing."""
        if self.clock_runs:
            self.idle += at - self.last
        head = self.head_could_go(at)
        if head is not self.idle_head:
            if self.idle_head is not None:
                yield self.idle_head, self.idle, self.begin
            self.idle_head, self.idle, self.begin = head, 0, at
        self.last, self.clock_runs = at, head is not None and not stopped


def changes(trace):
    """lock: (time, what changes, by how much or who), in order."""
    found = defaultdict(list)
    for lock, begin, end, count in uses(trace):
        what = "all_used" if count is None else "used"
        found[lock] += [(begin, what, count or 1), (end, what, -(count or 1))]
    for lock, begin, end in unseen(trace):
        found[lock] += [(begin, "hidden", 1), (end, "hidden", -1)]
    for lock, places in places_in_line(trace).items():
        for place in places:
            if place.perhaps > place.since:
                found[lock] += [(place.since, "comes", place), (place.sure, "sure", place),
                                (place.perhaps, "goes", place)]
    for lock, entries in found.items():
        for begin, end in trace.stops:
            entries += [(begin, "stopped", 1), (end, "stopped", -1)]
        entries += [(at, "limit", 0) for at in trace.limits.times()]
        entries.sort(key=lambda entry: entry[0])
    return found


def waits_for_nothing(trace):
    """(time in ns, lock, place, begin, end) of each wait while slots were free."""
    for name, entries in changes(trace).items():
        lock, stopped = Lock(name, trace), 0
        for at, what, change in entries:
            if what == "comes":
                lock.in_line[change.number] = change
            elif what == "goes":
                del lock.in_line[change.number]
            elif what == "stopped":
                stopped += change
            elif what not in ("sure", "limit"):
                setattr(lock, what, getattr(lock, what) + change)
            if at < NEVER:
                for head, length, begin in lock.step(at, stopped):
                    yield length, name, head, begin, at


def too_long(trace):
    """For more than a second, and what a machine that is busy may add."""
    for length, lock, head, begin, end in waits_for_nothing(trace):
        bound = SECOND + SLOW * trace.lateness(begin, end) if length > SECOND else SECOND
        if length > bound:
            yield f"{lock}: {head.past.call.id}, the head of the queue, waited {length / 1e9:.1f} s while slots were " \
                f"free; {bound / 1e9:.1f} s would do on this machine"
