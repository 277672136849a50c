"""A trace, read: what every call asked for, what it got, and when."""

import json
from dataclasses import dataclass, field

from schedule import Call, count_of

NEVER = 1 << 63
SECOND = 1_000_000_000
RECHECK = SECOND    # so long after an edit the head may go by the old limit: it looks at the config once a second


@dataclass
class Slots:
    """What a call got of one lock."""

    names: tuple            # of the slots
    first: int = 0          # when the first one was taken, by its record; 0: unknown
    last: int = 0           # ... and the last


@dataclass
class Past:
    """The past of one call. `..._line` is a place in the trace, everything else that tells when is a time."""

    call: Call
    ask: int
    ask_line: int
    start: int = 0
    start_line: int = 0
    over_line: int = NEVER      # its command has ended, or somebody was about to kill it
    exit: int = NEVER
    status: int = 0
    killed: int = NEVER
    stopped: int = NEVER        # SIGTSTP was sent for the first time
    orphan_line: int = NEVER    # its keeper is dead, by our hand
    left_line: int = 0          # it has left a daemon behind
    gone_line: int = NEVER      # the daemon's end
    gone: int = 0               # ... by the clock
    signals: set = field(default_factory=set)       # sent to it, and as what it got them
    slots: dict = field(default_factory=dict)       # lock: Slots
    tickets: dict = field(default_factory=dict)     # lock: [(number, since)]

    @property
    def orphaned(self):
        return self.orphan_line < NEVER

    @property
    def kernel_releases(self):
        """Whether its slots are surely held until the last process that has them open has ended."""
        return "container" not in self.signals and (self.call.keep or self.orphan_line < self.over_line)


class Limits:
    """What the limit of each lock was, when. While an edit is not known to all, both values count."""

    def __init__(self):
        self._edits = []    # [made, known to all, config]
        self._open = {}

    def made(self, number, at, config):
        self._edits.append([at, NEVER, config])
        self._open[number] = self._edits[-1]

    def known(self, number, at):
        self._open[number][1] = at

    def configs(self, begin, end):
        """Every config that somebody may have gone by between the two times."""
        for index, (made, _, config) in enumerate(self._edits):
            until = self._edits[index + 1][1] if index + 1 < len(self._edits) else NEVER
            if made <= end and begin <= until:
                yield config

    def values(self, lock, begin, end):
        return [config[lock] for config in self.configs(begin, end)]

    def most(self, lock, begin, end):
        return max(map(count_of, self.values(lock, begin, end)))

    def least(self, lock, begin, end):
        return min(map(count_of, self.values(lock, begin, end)))

    def times(self):
        """When anything about the limits changes."""
        for made, known, _ in self._edits:
            yield made
            if known != NEVER:
                yield known + RECHECK


class Trace:
    def __init__(self, path, times_in_records=True):
        self._times_in_records = times_in_records
        self.pasts = {}
        self.limits = Limits()
        self.missed = {}            # lock: numbers of tickets that nobody saw
        self.stops = []             # (begin, end) of SIGSTOPs
        self.bad = []               # what commands complain of
        self.nested = []            # (call, line)
        self.late = []              # (begin, end) of pauses in which a process of this machine got no time
        self._stop_begins = {}
        with open(path, encoding="ascii") as file:
            self.lines = file.read().splitlines()
        for number, line in enumerate(self.lines):
            what, *words = line.split(" ")
            reader = getattr(self, "_read_" + what, None)
            if reader:
                reader(number, *words)
        self.stops += [(begin, NEVER) for begin in self._stop_begins.values()]
        for past in self.pasts.values():
            if past.kernel_releases and past.left_line:
                past.over_line = past.gone_line

    def lateness(self, begin, end):
        """The longest pause of these two times."""
        return max((until - since for since, until in self.late if since <= end and until >= begin), default=0)

    def _read_edit(self, _, number, at, config):
        self.limits.made(number, int(at), json.loads(config))

    def _read_known(self, _, number, at):
        self.limits.known(number, int(at))

    def _read_ask(self, line, who, at, call):
        self.pasts[who] = Past(Call(**json.loads(call)), int(at), line)

    def _read_ticket(self, _, who, since, place, number, __):
        if who in self.pasts:
            self.pasts[who].tickets.setdefault(place, []).append((int(number), int(since)))

    def _read_missed(self, _, __, ___, place, number):
        self.missed.setdefault(place, set()).add(int(number))

    def _read_start(self, line, who, at, _, told, opened):
        past = self.pasts[who]
        past.start, past.start_line = int(at), line
        for entry in told.rstrip(";").split(";"):
            lock, names = entry.split(":")
            past.slots[f"{past.call.group}/{lock}"] = Slots(tuple(names.split(",")))
        if opened == "-":
            return
        times = {}
        for entry in opened.split(","):
            path, since = entry.split("@")
            place, name = path.rsplit("/slot.", 1)
            times.setdefault(place, {})[name] = int(since)
        if {place: sorted(names) for place, names in times.items()} != \
                {place: sorted(slots.names) for place, slots in past.slots.items()}:
            self.bad.append(f"{who} was told {told} and has {opened}")
        for place, names in times.items():
            if place in past.slots and self._times_in_records:
                past.slots[place].first, past.slots[place].last = min(names.values()), max(names.values())

    def _read_nested(self, line, who, *_):
        self.nested.append((who, line))

    def _read_end(self, line, who, _):
        self.pasts[who].over_line = min(self.pasts[who].over_line, line)

    def _read_left(self, line, who, _):
        self.pasts[who].left_line = line

    def _read_lost(self, line, who, _):
        self.pasts[who].gone_line = min(self.pasts[who].gone_line, line)

    def _read_gone(self, line, who, at):
        self.pasts[who].gone = int(at)
        self.pasts[who].gone_line = min(self.pasts[who].gone_line, line)

    def _read_bad(self, _, who, __, what):
        self.bad.append(f"{who}: {what}")

    def _read_late(self, _, __, at, length):
        self.late.append((int(at) - int(length), int(at)))

    def _read_kill(self, line, who, at, signal, whom):
        past = self.pasts[who]
        past.killed = min(past.killed, int(at))
        past.over_line = min(past.over_line, line)
        past.signals |= {signal, whom}

    def _read_orphan(self, line, who, _):
        self.pasts[who].orphan_line = line

    def _read_stop(self, _, who, at, signal, __):
        past = self.pasts[who]
        if signal == "TSTP":
            past.stopped = min(past.stopped, int(at))
        else:
            self._stop_begins[who] = int(at)

    def _read_cont(self, _, who, at):
        if who in self._stop_begins:
            self.stops.append((self._stop_begins.pop(who), int(at)))

    def _read_exit(self, line, who, at, status):
        past = self.pasts[who]
        past.exit, past.status = int(at), int(status)
        past.over_line = min(past.over_line, line)
