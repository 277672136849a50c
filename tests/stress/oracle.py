"""Judges a trace. Each check yields problems, in words; no problem means that the promise was kept.

What is compared is always on the safe side: a command counts as running from a line that it writes
when it has its slots to one that it writes before it gives them back, so whatever overlaps in the
trace did overlap. Order is compared by the times in records, which are taken under the gate.
"""

from collections import defaultdict
from dataclasses import dataclass

from schedule import count_of
from trace import NEVER, SECOND, Past


def by_lock(trace):
    """lock: the calls that got slots of it, in the order in which their commands began."""
    locks = defaultdict(list)
    for past in sorted(trace.pasts.values(), key=lambda past: past.start_line):
        for lock in past.slots:
            locks[lock].append(past)
    return locks


def running_at_starts(calls):
    """(call, those that run when its command begins, itself included)."""
    running = []
    for past in calls:
        running = [other for other in running if other.over_line > past.start_line]
        if past.over_line > past.start_line:  # else it was being killed when it began
            running.append(past)
            yield past, running


def may_be_last(past, running, lock):
    """Whether the call may be the one of these that was admitted last."""
    mine = past.slots[lock].last
    return all(other.slots[lock].last <= mine if mine and other.slots[lock].last else other.ask_line < past.start_line
               for other in running)


def admitted_from(past, lock):
    """A time at or before its admission, as late as is known."""
    return max(past.ask, past.slots[lock].last)


def limit_exceeded(trace):
    """More at once than the limit that the last one admitted can have gone by."""
    for lock, calls in by_lock(trace).items():
        for past, running in running_at_starts(calls):
            have = sum(len(other.slots[lock].names) for other in running)
            limit = max(trace.limits.most(lock, admitted_from(last, lock), last.start)
                        for last in running if may_be_last(last, running, lock))
            if have > limit and not lock.endswith("kit"):
                yield f"{lock}: {have} in use, limit {limit}, when {past.call.id} began: " + \
                    ", ".join(other.call.id for other in running)


def names_wrong(trace):
    """A slot given to two at once, or one that the config did not have, or not as many as asked for."""
    for lock, calls in by_lock(trace).items():
        for past, running in running_at_starts(calls):
            names = past.slots[lock].names
            values = trace.limits.values(lock, admitted_from(past, lock), past.start)
            for other in running:
                for name in set(names) & set(other.slots[lock].names):
                    if other is not past:
                        yield f"{lock}: slot {name} given to {other.call.id} and {past.call.id} at once"
            if not any(has_names(value, names) for value in values):
                yield f"{lock}: {past.call.id} got {names}, which the config did not have"
            want = past.call.wants[lock.split("/")[1]]
            if len(names) not in ([count_of(value) for value in values] if want == "all" else [want]):
                yield f"{lock}: {past.call.id} asked for {want} and got {names}"
            if len(set(names)) != len(names):
                yield f"{lock}: {past.call.id} got {names}"


def has_names(value, names):
    if isinstance(value, int):
        return all(name.isdigit() and int(name) < value for name in names)
    return set(names) <= set(value)


@dataclass
class Place:
    """A waiter's place in a line, with its last ticket."""

    number: int
    since: int
    sure: int       # until then, if that is after `since`, it surely stood there
    perhaps: int    # until then perhaps
    past: Past


def stands_until(past, lock):
    """Until when a waiter waited in the queue: surely, and perhaps."""
    slots = past.slots.get(lock)
    if slots and slots.first:
        if past.stopped > slots.last:
            return slots.last, slots.last
        # It left the queue when it was stopped, and came back with this ticket, another or none. If it wanted more
        # locks it may have had these slots once before, and given them back.
        alone = len(past.call.wants) == 1 and len(past.tickets[lock]) == 1
        return (past.stopped if alone else 0), slots.last
    if slots:
        return 0, past.start
    # It never ran, but may have had these slots when it was killed, or when it waited for another lock.
    alone = len(past.call.wants) == 1 and past.stopped == past.killed == NEVER and past.status == 75
    return (past.ask + int(past.call.timeout * SECOND) if alone else 0), past.exit


def places_in_line(trace):
    """lock: the places in its line, by number."""
    places = defaultdict(list)
    for past in trace.pasts.values():
        for lock, tickets in past.tickets.items():
            places[lock].append(Place(*max(tickets), *stands_until(past, lock), past))
    return {lock: sorted(entries, key=lambda place: place.number) for lock, entries in places.items()}


def overtaken(trace):
    """Somebody took slots while somebody waited in the queue before."""
    locks = by_lock(trace)
    for lock, places in places_in_line(trace).items():
        yield from overtaken_in_line(lock, places)
        yield from overtaken_by_newcomers(lock, places, locks[lock], trace)


def overtaken_in_line(lock, places):
    stood_longest, before = 0, None     # before: a Place
    for place in places:
        slots = place.past.slots.get(lock)
        came_back = place.past.stopped < NEVER  # may have got its slots without its last ticket
        if slots and slots.first and not came_back and slots.first < stood_longest:
            yield f"{lock}: {place.past.call.id} took its slots while {before.past.call.id} was before it " \
                f"in the queue: ticket {place.number} at {slots.first}, ticket {before.number} until {before.sure}"
        if place.sure > max(stood_longest, place.since):
            stood_longest, before = place.sure, place


def overtaken_by_newcomers(lock, places, calls, trace):
    newcomers = [past for past in calls if lock not in past.tickets and past.slots[lock].first]
    if trace.missed.get(lock):
        return  # whoever is taken for a newcomer here may be one whose ticket was not seen
    waiters = sorted(places, key=lambda place: place.since)
    stood_longest, before, index = 0, None, 0
    for past in sorted(newcomers, key=lambda past: past.slots[lock].first):
        taken = past.slots[lock].first
        while index < len(waiters) and waiters[index].since < taken:
            if waiters[index].sure > stood_longest:
                stood_longest, before = waiters[index].sure, waiters[index].past
            index += 1
        if taken < stood_longest:
            yield f"{lock}: newcomer {past.call.id} took its slots while {before.call.id} was in the queue"


def statuses_wrong(trace):
    """A call that ended otherwise than it may."""
    for past in trace.pasts.values():
        allowed = set(statuses_allowed(trace, past))
        if past.exit == NEVER or past.status not in allowed:
            status = "none" if past.exit == NEVER else past.status
            yield f"{past.call.id}: exit status {status}, but {sorted(allowed)} could be"
        elif past.status == 75 and past.call.timeout and past.killed == NEVER and not past.call.nonblock and \
                past.exit - past.ask < past.call.timeout * SECOND:
            yield f"{past.call.id}: gave up before its time"
        elif past.start and past.status in (75, 125) and past.killed == NEVER:
            yield f"{past.call.id}: exit status {past.status} though its command ran"
        elif not past.start and past.status == past.call.status and past.killed == NEVER:
            yield f"{past.call.id}: exit status {past.status} though its command did not run"


def statuses_allowed(trace, past):
    yield past.call.status
    for name, number in (("KILL", 9), ("TERM", 15)):
        if name in past.signals:
            yield -number
            yield 128 + number
    if "container" in past.signals:
        yield 1  # nsenter, which found no namespaces any more
    if past.call.nonblock or past.call.timeout:
        yield 75
    for lock, count in past.call.wants.items():
        for value in trace.limits.values(f"{past.call.group}/{lock}", past.ask, past.exit):
            if count != "all" and 0 < count_of(value) < count:
                yield 125


def nested_wrong(trace):
    """What commands have complained of, and nested calls that passed when nobody held."""
    yield from trace.bad
    for who, line in trace.nested:
        past = trace.pasts[who]
        if past.killed == NEVER and not past.start_line < line < past.over_line:
            yield f"{who}: a nested call passed when its command did not run"
